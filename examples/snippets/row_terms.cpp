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
    // [z_loss]
    auto objective = hone::cross_entropy(target) + hone::z_loss(1e-4);
    // [/z_loss]
    const double lse = double(logits[0]) - std::log(p[0]);
    expect(hone::evaluate(cpu, objective, z), -std::log(p[0]) + 1e-4 * lse * lse, "z_loss");
  }
  return failures;
}
