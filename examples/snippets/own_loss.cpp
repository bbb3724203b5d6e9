// SPDX-License-Identifier: MIT
// The two losses that CONTRIBUTING.md adds step by step, checked by finite differences.
#include "own_loss.hpp"

#include <hone/hone.hpp>

#include <cmath>
#include <cstdio>
#include <vector>

namespace {

int failures = 0;

/// The gradient of an objective against the differences of its value.
void prove(auto const& objective, std::vector<double> z, hone::index rows, hone::index columns, const char* what) {
  const hone::cpu cpu{1};
  std::vector<double> gradient(z.size());
  const hone::matrix_view view{z.data(), rows, columns};
  hone::evaluate(cpu, objective, view, {.gradient = {gradient.data(), rows, columns}});
  for (std::size_t i = 0; i < z.size(); ++i) {
    const double x = z[i], h = 1e-5;
    z[i] = x + h;
    const double above = hone::evaluate(cpu, objective, view);
    z[i] = x - h;
    const double below = hone::evaluate(cpu, objective, view);
    z[i] = x;
    if (std::abs((above - below) / (2 * h) - gradient[i]) > 1e-8) std::printf("wrong: %s\n", what), ++failures;
  }
}

}  // namespace

int main() {
  const std::vector<int> labels = {0, 2};
  const std::vector<double> z = {2, 0, -1, 0.5, 1, -3};
  prove(own::squared_hinge_loss(hone::classes(labels), {.margin = 1.5}), z, 2, 3, "squared_hinge_loss");
  prove(hone::cross_entropy(hone::classes(labels)) + own::confidence_penalty_term(0.1), z, 2, 3, "confidence penalty");
  return failures;
}
