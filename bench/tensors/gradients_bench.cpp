// SPDX-License-Identifier: MIT
// The norm of a model's gradients, and clipping that writes.
#include "../streams.hpp"
#include "model.hpp"
#include "twin_tensors.hpp"
#include "works.hpp"

#include <cmath>

namespace bench::tensors_of_a_model {
namespace {

struct gradients : tensors {
  using tensors::tensors;
  hone::tensor_list<float> list_of;
  float* stream = nullptr;

 private:
  void fill() override {
    random_numbers random;
    list_of = list<float>(random, "gradients", true);
    stream = zeros("stream");
  }
};

double twin_norm(hone::cpu const& cpu, std::vector<stretch> const& all, gradients const& d) {
  return std::sqrt(over_stretches(
      cpu, all, [&](stretch const& s) { return twin_squares(d.list_of[s.tensor].data + s.begin, s.end - s.begin); }));
}

}  // namespace

void add_gradients(registry& r) {
  const auto d = std::make_shared<gradients>(resnet50(r));
  const index n = total(d->sizes);
  const auto all = stretches(d->sizes);
  for (const int threads : r.settings.threads) {
    const hone::cpu cpu(threads);
    work& norm = r.add("tensors/norm/resnet50", threads, 4.0 * double(n), d);
    norm.add("hone", [=] { return hone::measure(cpu, hone::clip_by_global_norm(1), d->list_of).norm; });
    norm.add("twin", [=] { return twin_norm(cpu, all, *d); });
    norm.add("limit", [=] { return streams::read(cpu, d->stream, n); });

    // Gradients are doubled, then halved, and so on: every call writes, and they stay what they were.
    work& clip = r.add("tensors/clip/resnet50", threads, 12.0 * double(n), d);
    clip.add("hone", [=, larger = false]() mutable {
      larger = !larger;
      const auto chain = hone::chain(hone::unscale(larger ? 0.5 : 2), hone::clip_by_global_norm(1e30));
      return hone::transform(cpu, chain, d->list_of).norm;
    });
    clip.add("twin", [=, larger = false]() mutable {
      larger = !larger;
      const float factor = larger ? 2 : 0.5f;
      const double norm = factor * twin_norm(cpu, all, *d);
      const auto coefficient = static_cast<float>(factor * std::min(1.0, 1e30 / norm));
      over_stretches(cpu, all, [&](stretch const& s) {
        twin_scale(d->list_of[s.tensor].data + s.begin, s.end - s.begin, coefficient);
        return 0.0;
      });
      return norm;
    });
    clip.add("limit",
             [=] { return streams::read(cpu, d->stream, n) + streams::in_place<1>(cpu, std::array{d->stream}, n); });
  }
}

}  // namespace bench::tensors_of_a_model
