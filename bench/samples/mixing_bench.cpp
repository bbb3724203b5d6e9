// SPDX-License-Identifier: MIT
// Mixing a batch of images of ImageNet's size.
#include "../random.hpp"
#include "../streams.hpp"
#include "twin_mixing.hpp"
#include "works.hpp"

#include <hone/hone.hpp>

namespace bench::samples {
namespace {

constexpr index channels = 3;

struct images : data {
  index rows, side, features;
  bool in_place;
  hone::mixup_draw mix;
  hone::cutmix_draw cut;
  float *from = nullptr, *to = nullptr;

  images(registry const& r, hone::mixing_unit per, bool within)
      : rows(r.rows(256) / 2 * 2), side(r.columns(224)), features(channels * side * side), in_place(within) {
    mix = hone::mixup{.alpha = 0.2, .per = per}.draw(1, 2, rows);
    cut = hone::cutmix{}.draw(1, 2, rows, side, side);
  }
  hone::matrix_view<float> view(float* p) const { return {p, rows, features}; }
  std::string name() const { return std::to_string(rows) + "x3x" + std::to_string(side) + "x" + std::to_string(side); }

 private:
  void fill() override {
    random_numbers random;
    random.uniform(from = make<float>("images", {rows, features}), rows * features, 0, 1);
    to = in_place ? from : make<float>("mixed", {rows, features});
    writes(in_place ? "images" : "mixed");
    std::copy(mix.lambda.begin(), mix.lambda.end(), make<float>("lambda", {rows}));
    std::copy(mix.partner.begin(), mix.partner.end(), make<index>("partner", {rows}));
  }
};

/// In place the images decay towards their mean, which costs nothing.
template <class Hone, class Twin>
void add(registry& r, std::string const& name, hone::mixing_unit per, bool in_place, Hone const& blend,
         Twin const& twin) {
  const auto d = std::make_shared<images>(r, per, in_place);
  const double bytes = 8.0 * static_cast<double>(d->rows * d->features);
  const bool past = !in_place && r.past_caches(bytes / 2);
  for (const int threads : r.settings.threads) {
    const hone::cpu cpu(threads);
    work& w = r.add("samples/" + name + "/" + d->name(), threads, bytes, d);
    w.add("hone", [=] {
      blend(cpu, *d);
      return 0.0;
    });
    if constexpr (!std::is_same_v<Twin, std::nullptr_t>) w.add("twin", [=] { return twin(cpu, *d, past); });
    streams::add(w, cpu, in_place, [=] { return streams::arrays<1>{{d->from}, d->to, d->rows * d->features}; });
  }
}

}  // namespace

void add_mixing(registry& r) {
  const auto mix = [](hone::cpu const& cpu, images const& d) { hone::blend(cpu, d.mix, d.view(d.from), d.view(d.to)); };
  const auto pairs = [](hone::cpu const& cpu, images const& d, bool past) {
    return twin_pairs(cpu, d.mix, d.from, d.to, d.features, past);
  };
  add(r, "mixup", hone::sample, false, mix, [](hone::cpu const& cpu, images const& d, bool past) {
    return twin_mixup(cpu, d.mix, d.from, d.to, d.features, past);
  });
  add(r, "mixup/pairs", hone::pair, false, mix, pairs);
  add(r, "mixup/in_place", hone::sample, true, mix, nullptr);
  add(r, "mixup/in_place/pairs", hone::pair, true, mix, pairs);
  add(
      r, "cutmix", hone::sample, false,
      [](hone::cpu const& cpu, images const& d) { hone::blend(cpu, d.cut, d.view(d.from), d.view(d.to)); },
      [](hone::cpu const& cpu, images const& d, bool past) {
        return twin_cutmix(cpu, d.cut, d.from, d.to, channels, past);
      });
}

}  // namespace bench::samples
