// SPDX-License-Identifier: MIT
// The row terms of docs/terms.md, each against its formula in double.
#include "expect.hpp"

#include <hone/hone.hpp>

#include <cmath>
#include <cstdio>
#include <vector>

namespace {

std::vector<double> softmax(std::vector<float> const& z, double T) {
  std::vector<double> p;
  double total = 0;
  for (float x : z) p.push_back(std::exp(double(x) / T)), total += p.back();
  for (double& x : p) x /= total;
  return p;
}

}  // namespace

int main() {
  const int rows = 1, columns = 3;
  std::vector<float> logits = {2, 0, -1}, teacher = {3, 0, -2};
  std::vector<int> labels = {0};
  hone::cpu cpu;
  const hone::matrix_view z{logits.data(), rows, columns};
  const auto target = hone::classes(labels);
  const std::vector<double> p = softmax(logits, 1);
  {
    // [cross_entropy]
    auto objective = hone::cross_entropy(hone::smooth(hone::classes(labels), 0.1));
    // [/cross_entropy]
    const double e = 0.1 / 3;
    expect(hone::evaluate(cpu, objective, z), -(0.9 + e) * std::log(p[0]) - e * std::log(p[1]) - e * std::log(p[2]),
           "cross_entropy");
  }
  {
    // [softmax_focal_loss]
    auto objective = hone::softmax_focal_loss(target, {.gamma = 2});
    // [/softmax_focal_loss]
    expect(hone::evaluate(cpu, objective, z), -std::pow(1 - p[0], 2) * std::log(p[0]), "softmax_focal_loss");
  }
  {
    // [poly1_cross_entropy]
    auto objective = hone::poly1_cross_entropy(target, {.epsilon = 2});
    // [/poly1_cross_entropy]
    expect(hone::evaluate(cpu, objective, z), -std::log(p[0]) + 2 * (1 - p[0]), "poly1_cross_entropy");
  }
  {
    const int sides = 4, bins = 3;  // of one box
    const std::vector<float> distributions = {2, 0, -1, 0, 0, 0, 1, 2, 3, 0, -1, 0};
    const hone::matrix_view box{distributions.data(), sides, bins};
    const auto p_of = [&](std::size_t side) {
      return softmax({distributions.begin() + long(3 * side), distributions.begin() + long(3 * side) + 3}, 1);
    };
    // [distribution_focal_loss]
    std::vector<float> distances = {0.25f, 1, 2, -1};  // in units of bins; the last side is not known
    auto objective = hone::distribution_focal_loss(distances, {.ignore = -1});
    double loss = hone::evaluate(cpu, objective, box);
    // [/distribution_focal_loss]
    expect(
        loss,
        -(0.75 * std::log(p_of(0)[0]) + 0.25 * std::log(p_of(0)[1]) + std::log(p_of(1)[1]) + std::log(p_of(2)[2])) / 3,
        "distribution_focal_loss");
    std::vector<float> decoded(4), slopes = {0.5f, -1, 0, 2}, gradient(12);
    // [expected_bin]
    hone::expected_bin(cpu, box, decoded);
    // … a box loss fills slopes: its gradient by the decoded distances
    auto both =
        hone::distribution_focal_loss(distances, {.ignore = -1}) + hone::weigh_rows(hone::expected_bin(), slopes);
    hone::evaluate(cpu, both, box, {.gradient = {gradient.data(), sides, bins}}, hone::sum);
    // [/expected_bin]
    const auto q = std::vector<double>{0.75, 0.25, 0};
    for (std::size_t i = 0; i < 3; ++i) {
      const double mean = p_of(0)[1] + 2 * p_of(0)[2];
      expect(double(decoded[0]), mean, "expected_bin");
      expect(double(gradient[i]), p_of(0)[i] - q[i] + 0.5 * p_of(0)[i] * (double(i) - mean), "its gradient");
      expect(gradient[9 + i] == 0, "neither has a gradient where the distance is ignored");
    }
  }
  {
    // [distillation]
    auto taught = hone::distillation(hone::matrix_view{teacher.data(), rows, columns}, 4);
    auto objective = 0.7 * hone::cross_entropy(target) + 0.3 * taught;
    // [/distillation]
    const std::vector<double> s = softmax(logits, 4), t = softmax(teacher, 4);
    double divergence = 0;
    for (std::size_t c = 0; c < 3; ++c) divergence += t[c] * std::log(t[c] / s[c]);
    expect(hone::evaluate(cpu, objective, z), -0.7 * std::log(p[0]) + 0.3 * 16 * divergence, "distillation");
  }
  {
    const hone::matrix_view taught{teacher.data(), rows, columns};
    // [reverse_distillation]
    auto objective = hone::reverse_distillation(taught, 4);
    // [/reverse_distillation]
    // [jensen_shannon_distillation]
    auto between = hone::jensen_shannon_distillation(taught, 4, {.beta = 0.5});
    // [/jensen_shannon_distillation]
    const std::vector<double> s = softmax(logits, 4), t = softmax(teacher, 4);
    double reversed = 0, mixed = 0;
    for (std::size_t c = 0; c < 3; ++c) {
      const double m = (s[c] + t[c]) / 2;
      reversed += s[c] * std::log(s[c] / t[c]);
      mixed += (t[c] * std::log(t[c] / m) + s[c] * std::log(s[c] / m)) / 2;
    }
    expect(hone::evaluate(cpu, objective, z), 16 * reversed, "reverse_distillation");
    expect(hone::evaluate(cpu, between, z), 16 * mixed, "jensen_shannon_distillation");
  }
  {
    const hone::matrix_view taught{teacher.data(), rows, columns};
    // [decoupled_distillation]
    auto objective = hone::cross_entropy(target) + hone::decoupled_distillation(target, taught, 4, {.beta = 8});
    // [/decoupled_distillation]
    const std::vector<double> s = softmax(logits, 4), t = softmax(teacher, 4);
    double others = 0;
    for (std::size_t c = 1; c < 3; ++c) others += t[c] / (1 - t[0]) * std::log(t[c] / (1 - t[0]) / s[c] * (1 - s[0]));
    const double label = t[0] * std::log(t[0] / s[0]) + (1 - t[0]) * std::log((1 - t[0]) / (1 - s[0]));
    expect(hone::evaluate(cpu, objective, z), -std::log(p[0]) + 16 * (label + 8 * others), "decoupled_distillation");
  }
  {
    // [soft_target_focal_loss]
    auto objective = hone::soft_target_focal_loss(hone::smooth(target, 0.1), {.gamma = 2});
    // [/soft_target_focal_loss]
    double sum = 0;
    for (std::size_t c = 0; c < 3; ++c) {
      const double q = (c == 0 ? 0.9 : 0) + 0.1 / 3;
      sum -= q * (q - p[c]) * (q - p[c]) * std::log(p[c]);
    }
    expect(hone::evaluate(cpu, objective, z), sum, "soft_target_focal_loss");
  }
  {
    // [ldam_loss]
    const std::vector<double> counts{900, 100, 16};  // of the training set, per class
    const std::vector<double> margins = hone::ldam_margins(counts, 0.5);
    auto objective = hone::ldam_loss(target, margins, {.scale = 30});
    // [/ldam_loss]
    double others = 0;
    for (std::size_t c = 1; c < 3; ++c)
      others += std::exp(30 * (double(logits[c]) - double(logits[0]) + 0.5 * std::pow(16 / 900.0, 0.25)));
    expect(hone::evaluate(cpu, objective, z), std::log(1 + others), "ldam_loss");
  }
  {
    // [z_loss]
    auto objective = hone::cross_entropy(target) + hone::z_loss(1e-4);
    // [/z_loss]
    const double lse = double(logits[0]) - std::log(p[0]);
    expect(hone::evaluate(cpu, objective, z), -std::log(p[0]) + 1e-4 * lse * lse, "z_loss");
  }
  return failures;
}
