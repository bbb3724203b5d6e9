// SPDX-License-Identifier: MIT
// All that follows a backward pass of ResNet-50: gradients unscaled and clipped, SGD with momentum as the caller's own
// loop, and an average. Beside streams of the same bytes, plain loops and PyTorch's forms.
//
// Bytes per number, float. The least is 32: gradients are read twice, for their norm must be known before the first is
// used; momentum, parameters and shadow are read and written once. Each way moves more:
//   lazily    36: hone::measure leaves the gradients as they are, and SGD multiplies. The average, a sweep of its own,
//             reads the parameters again.
//   in place  44: hone::transform also reads and writes the gradients.
#include "models.hpp"
#include "paired.hpp"
#include "peer.hpp"
#include "streams.hpp"

#include <hone/hone.hpp>

#include <algorithm>
#include <cmath>
#include <cstdio>

namespace {

using bench::model;
using hone::index;

constexpr float rate = 1e-5f, momentum = 0.9f;
constexpr double max_norm = 1e30, decay = 0.9999;

/// The caller's optimiser.
void sgd(float* __restrict p, float* __restrict m, float const* __restrict g, index n, float factor) {
  for (index i = 0; i < n; ++i) {
    m[i] = momentum * m[i] + factor * g[i];
    p[i] -= rate * m[i];
  }
}

/// Everything by hand, on one thread, in as few sweeps as can be.
void plain(hone::tensor_list<float> const& parameters, hone::tensor_list<float> const& momenta,
           hone::tensor_list<float> const& gradients, hone::tensor_list<float> const& shadow, double unscaling) {
  double squares = 0;
  for (auto const& g : gradients)
    for (index i = 0; i < g.size; ++i) squares += double(g.data[i]) * double(g.data[i]);
  const double norm = unscaling * std::sqrt(squares);
  if (!std::isfinite(norm)) return;
  const auto factor = static_cast<float>(unscaling * std::min(1.0, max_norm / norm));
  for (std::size_t k = 0; k < gradients.size(); ++k) {
    float* __restrict p = parameters[k].data, * __restrict m = momenta[k].data, * __restrict s = shadow[k].data;
    float const* __restrict g = gradients[k].data;
    for (index i = 0; i < gradients[k].size; ++i) {
      m[i] = momentum * m[i] + factor * g[i];
      p[i] -= rate * m[i];
      s[i] = static_cast<float>(decay) * s[i] + static_cast<float>(1 - decay) * p[i];
    }
  }
}

struct training {
  model<float> parameters, gradients, momenta;
  hone::ema_state<float> shadow{parameters.list};
  hone::ema average{.decay = decay};
  bool larger = false;

  explicit training(std::vector<index> const& sizes) : parameters(sizes), gradients(sizes), momenta(sizes) {}

  /// Gradients are halved, then doubled, and so on: transform writes in every step, and they stay what they were.
  double scale() { return (larger = !larger) ? 0.5 : 2; }

  auto clipping() { return hone::chain(hone::unscale(scale()), hone::clip_by_global_norm(max_norm)); }
  void optimise(hone::cpu const& cpu, float factor) {
    hone::on_cpu::for_tensors(cpu, gradients.list, [&](std::size_t i, index begin, index end) {
      sgd(parameters.list[i].data + begin, momenta.list[i].data + begin, gradients.list[i].data + begin, end - begin,
          factor);
    });
  }

  void in_place(hone::cpu const& cpu) {
    const auto report = hone::transform(cpu, clipping(), gradients.list);
    if (report.finite) optimise(cpu, 1);
    hone::update(cpu, average, shadow, parameters.list, report.finite);
  }
  void lazily(hone::cpu const& cpu) {
    const auto report = hone::measure(cpu, clipping(), gradients.list);
    if (report.finite) optimise(cpu, static_cast<float>(report.factor));
    hone::update(cpu, average, shadow, parameters.list, report.finite);
  }
};

}  // namespace

void bench::steps(double budget, std::string const& filter, int only) {
  const char *lazily = "step, measured, 161 tensors, 25.6 M", *in_place = "step, in place, 161 tensors, 25.6 M";
  if (std::string(lazily).find(filter) == std::string::npos && std::string(in_place).find(filter) == std::string::npos)
    return;
  training t(resnet50());
  index n = 0;
  for (auto const& x : t.parameters.list) n += x.size;
  n = n / 16 * 16;
  std::vector<float> zeros[4];
  float* z[4];
  for (int k = 0; k < 4; ++k) zeros[k].resize(static_cast<std::size_t>(n)), z[k] = zeros[k].data();

  std::printf(
      "\n| %-44s | threads | ms | bytes a number, least 32 | GB/s | of its sweeps | of the least | x torch | x plain "
      "loops |\n",
      "unscale, clip, SGD with momentum, EMA");
  std::printf("|---|---|---|---|---|---|---|---|---|\n");
  for (const int threads : {1, 2}) {
    if (only && threads != only) continue;
    const hone::cpu cpu(threads);
    peer::set_threads(threads);
    std::vector<contender> all{
        {"measured", [&] { t.lazily(cpu); }},
        {"in place", [&] { t.in_place(cpu); }},
        {"plain",
         [&] { plain(t.parameters.list, t.momenta.list, t.gradients.list, t.shadow.tensors(), 1 / t.scale()); }},
        {"norm", read_limit{cpu, z[0], n}},
        {"clip", sweep_limit<1, 0>{cpu, {z[0]}, n}},
        {"sgd", sweep_limit<2, 1>{cpu, {z[0], z[1], z[2]}, n}},
        {"average", sweep_limit<1, 1>{cpu, {z[0], z[1]}, n}},
        {"sgd and average", sweep_limit<3, 1>{cpu, {z[0], z[1], z[2], z[3]}, n}}};
    const std::size_t ours = all.size();
    for (auto const& form : peer::steps({t.parameters.list, t.gradients.list, t.momenta.list, t.shadow.tensors(),
                                         [&] { return 1 / t.scale(); }, max_norm, rate, momentum, decay}))
      all.push_back({"torch", form});
    const auto s = rotate(all, 3 * budget);
    const double sweeps = s[3] + s[5] + s[6], least = s[3] + s[7];
    const auto row = [&](const char* name, double seconds, int bytes, double limit) {
      std::printf("| %-44s | %d | %7.3f | %d | %5.1f | %4.2f | %4.2f |", name, threads, seconds * 1e3, bytes,
                  double(n) * bytes / seconds * 1e-9, limit / seconds, least / seconds);
      const auto ratio = [&](bool there, double other) {
        if (there)
          std::printf(" %5.2f |", other / seconds);
        else
          std::printf("     - |");
      };
      ratio(all.size() > ours, *std::min_element(s.begin() + long(all.size() > ours ? ours : 0), s.end()));
      ratio(threads == 1, s[2]);
      std::printf("\n");
    };
    row(lazily, s[0], 36, sweeps);
    row(in_place, s[1], 44, sweeps + s[4]);
    std::fflush(stdout);
  }
}
