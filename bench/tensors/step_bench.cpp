// SPDX-License-Identifier: MIT
// All that follows a backward pass: gradients unscaled and clipped, SGD with momentum, and an average.
//
// Bytes per number, float. The least is 32: gradients are read twice, for their norm must be known before the first is
// used; momentum, parameters and shadow are read and written once. The twin moves 32. The ways of hone move
//   hone           32: hone::step does everything in two sweeps.
//   hone.measured  36: hone::measure leaves the gradients as they are, and SGD, the caller's own loop, multiplies. The
//                  average, a sweep of its own, reads the parameters again.
//   hone.in_place  44: hone::transform also reads and writes the gradients.
#include "../streams.hpp"
#include "model.hpp"
#include "twin_tensors.hpp"
#include "works.hpp"

#include <cmath>
#include <optional>

namespace bench::tensors_of_a_model {
namespace {

constexpr float rate = 1e-5f, momentum = 0.9f, decay = 0.9999f;
constexpr double max_norm = 1e30;

/// The caller's optimiser.
void sgd(float* __restrict p, float* __restrict m, float const* __restrict g, index n, float factor) {
  for (index i = 0; i < n; ++i) {
    m[i] = momentum * m[i] + factor * g[i];
    p[i] -= rate * m[i];
  }
}

/// The same for hone::step.
struct sgd_rule {
  template <hone::operand V>
  void operator()(V const& g, V& p, V& m) const {
    m = V(momentum) * m + g;
    p -= V(rate) * m;
  }
};

struct training : tensors {
  using tensors::tensors;
  hone::tensor_list<float> parameters, gradients, momenta;
  std::optional<hone::ema_state<float>> shadow;
  float* streams[4] = {};

  void optimise(hone::cpu const& cpu, float factor) const {
    hone::on_cpu::for_tensors(cpu, gradients, [&](std::size_t i, index begin, index end) {
      sgd(parameters[i].data + begin, momenta[i].data + begin, gradients[i].data + begin, end - begin, factor);
    });
  }

 private:
  void fill() override {
    random_numbers random;
    parameters = list<float>(random, "parameters", true);
    gradients = list<float>(random, "gradients", true);
    momenta = list<float>(random, "momenta", true);
    shadow.emplace(parameters);
    for (std::size_t k = 0; k < sizes.size(); ++k)
      show("shadow/" + std::to_string(k), shadow->tensors()[k].data, sizes[k]);
    for (int k = 0; k < 4; ++k) streams[k] = zeros("stream/" + std::to_string(k));
  }
};

/// Gradients are multiplied by 2, then by ½, and so on: transform writes in every step, and they stay what they were.
class alternating {
 public:
  double scale() { return (larger_ = !larger_) ? 0.5 : 2; }

 private:
  bool larger_ = false;
};

double twin(hone::cpu const& cpu, std::vector<stretch> const& all, training const& d, double unscaling) {
  const double norm = unscaling * std::sqrt(over_stretches(cpu, all, [&](stretch const& s) {
                        return twin_squares(d.gradients[s.tensor].data + s.begin, s.end - s.begin);
                      }));
  if (!std::isfinite(norm)) return norm;
  const auto factor = static_cast<float>(unscaling * std::min(1.0, max_norm / norm));
  over_stretches(cpu, all, [&](stretch const& s) {
    const auto at = [&](auto const& list) { return list[s.tensor].data + s.begin; };
    twin_step(at(d.parameters), at(d.momenta), at(d.shadow->tensors()), at(d.gradients), s.end - s.begin, factor,
              momentum, rate, decay);
    return 0.0;
  });
  return norm;
}

}  // namespace

void add_step(registry& r) {
  const auto d = std::make_shared<training>(resnet50(r));
  const index n = total(d->sizes);
  const hone::ema average{.decay = decay};
  for (const int threads : r.settings.threads) {
    const hone::cpu cpu(threads);
    work& w = r.add("tensors/step/resnet50", threads, 32.0 * double(n), d);
    w.add("hone", [=, scale = alternating()]() mutable {
      const auto chain = hone::chain(hone::unscale(scale.scale()), hone::clip_by_global_norm(max_norm));
      return hone::step(cpu, chain, sgd_rule(), d->gradients, d->parameters, d->momenta,
                        hone::averaged_in(average, *d->shadow))
          .norm;
    });
    w.add("hone.measured", [=, scale = alternating()]() mutable {
      const auto chain = hone::chain(hone::unscale(scale.scale()), hone::clip_by_global_norm(max_norm));
      const auto report = hone::measure(cpu, chain, d->gradients);
      if (report.finite) d->optimise(cpu, static_cast<float>(report.factor));
      hone::update(cpu, average, *d->shadow, d->parameters, report.finite);
      return report.norm;
    });
    w.add("hone.in_place", [=, scale = alternating()]() mutable {
      const auto chain = hone::chain(hone::unscale(scale.scale()), hone::clip_by_global_norm(max_norm));
      const auto report = hone::transform(cpu, chain, d->gradients);
      if (report.finite) d->optimise(cpu, 1);
      hone::update(cpu, average, *d->shadow, d->parameters, report.finite);
      return report.norm;
    });
    w.add("twin", [=, scale = alternating(), all = stretches(d->sizes)]() mutable {
      return twin(cpu, all, *d, 1 / scale.scale());
    });
    w.add("limit", [=] {
      auto const& z = d->streams;
      return streams::read(cpu, z[0], n) + streams::in_place<3>(cpu, std::array{z[0], z[1], z[2], z[3]}, n);
    });
  }
}

}  // namespace bench::tensors_of_a_model
