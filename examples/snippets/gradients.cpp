// SPDX-License-Identifier: MIT
// The examples of docs/gradients.md.
#include <hone/hone.hpp>

#include "expect.hpp"

#include <vector>

int main() {
  std::vector<float> weight_gradient(12, 3.0f), bias_gradient(4, 4.0f), weight(12, 1.0f), bias(4, 0.5f);
  const float before = weight_gradient[0];
  // [lists]
  const hone::tensor_list<float> gradients{{weight_gradient.data(), 3, 4}, {bias_gradient.data(), 4}};
  const hone::tensor_list<float> parameters{{weight.data(), 3, 4}, {bias.data(), 4}};
  // [/lists]

  // [clip]
  hone::cpu cpu;
  hone::loss_scaler scaler{.initial = 1024};
  const auto chain = hone::chain(hone::unscale(scaler), hone::clip_by_global_norm(0.005));
  // … the loss is multiplied with scaler.scale(), its gradient is taken, and then:
  const auto report = hone::transform(cpu, chain, gradients);
  if (report.finite) {
    // the optimiser's step
  }
  scaler.update(report.finite);
  // [/clip]
  expect(report.finite && report.coefficient < 1 && weight_gradient[0] < before, "the clipped report");

  // [measure]
  const auto measured = hone::measure(cpu, hone::clip_by_global_norm(0.001), gradients);
  const double rate = 0.1;
  for (std::size_t i = 0; measured.finite && i < weight.size(); ++i)
    weight[i] -= static_cast<float>(rate * measured.factor) * weight_gradient[i];
  // [/measure]
  expect(measured.coefficient < 1, "the measured coefficient");

  // [adaptive]
  hone::transform(cpu, hone::adaptive_clip(parameters, {.clipping = 0.01, .epsilon = 1e-3, .excluded = {1}}),
                  gradients);
  // [/adaptive]
  expect(bias_gradient[0] == bias_gradient[3], "a tensor that is excluded");

  std::vector<Eigen::half> half_gradient(8, Eigen::half(3.0f));
  // [lists_of_two_types]
  const hone::tensor_list<Eigen::half> of_half{{half_gradient.data(), 8}};
  const auto both = hone::transform(cpu, hone::clip_by_global_norm(1), gradients, of_half);
  // [/lists_of_two_types]
  expect(both.norm > 8 && half_gradient[0] < Eigen::half(1.0f), "the norm of two lists");
  return failures;
}
