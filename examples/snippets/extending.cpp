// SPDX-License-Identifier: MIT
// Policies of one's own: losses against finite differences, the others against their formulas.
#include "extending.hpp"

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

void expect(double seen, double expected, const char* what) {
  if (std::abs(seen - expected) > 1e-6 * (1 + std::abs(expected)))
    std::printf("wrong: %s is %.9g, not %.9g\n", what, seen, expected), ++failures;
}

void take_steps() {
  const hone::cpu cpu{2};
  std::vector<float> p(1000, 1.0f), m(1000), v(1000), average(p), g(1000, 0.5f);
  const auto parameters = hone::tensor_list<float>{{p.data(), 1000}};
  const auto gradients = hone::tensor_list<const float>{{g.data(), 1000}};
  const auto first = hone::tensor_list<float>{{m.data(), 1000}}, second = hone::tensor_list<float>{{v.data(), 1000}};
  const auto shadow = hone::tensor_list<float>{{average.data(), 1000}};
  // [for_each_number]
  const auto report = hone::measure(cpu, hone::chain(hone::unscale(2), hone::clip_by_global_norm(1)), gradients);
  if (report.finite) {
    const own::adamw_and_average step{.rate = 0.01,
                                      .first = 0.9,
                                      .second = 0.999,
                                      .epsilon = 1e-8,
                                      .decay = 0.1,
                                      .correction1 = 1 - 0.9,
                                      .correction2 = 1 - 0.999,
                                      .factor = report.factor,
                                      .weight = 0.25};
    hone::for_each_number(cpu, step, parameters, first, second, shadow, gradients);
  }
  // [/for_each_number]
  expect(double(p[999]), 1 - 0.01 * (1 + 0.1), "adamw");  // the first step's m / √v is 1
  expect(double(average[0]), 1 - 0.25 * 0.011, "its average");
  expect(double(m[500]), 0.1 / std::sqrt(1000), "its first moment");  // clipped: each number is 1 / √1000
}

void train() {
  const hone::cpu cpu(2);
  std::vector<float> p(1000, 1.0f), m(1000), g(1000, 0.5f);
  const auto parameters = hone::tensor_list<float>{{p.data(), 1000}};
  const auto gradients = hone::tensor_list<float>{{g.data(), 1000}},
             momenta = hone::tensor_list<float>{{m.data(), 1000}};
  // [train]
  hone::loss_scaler scaler{.initial = 2};
  const auto clip = hone::chain(hone::unscale(scaler), hone::clip_by_global_norm(1));
  const hone::ema average{.decay = 0.75};
  hone::ema_state<float> shadow(parameters);
  // in the loop, when the gradients of the scaled loss are there:
  const auto report = hone::step(cpu, clip, own::sgd{.rate = 0.1, .momentum = 0.9}, gradients, parameters, momenta,
                                 hone::averaged_in(average, shadow));
  scaler.update(report.finite);  // if false, nothing was written
  // [/train]
  const double parameter = 1 - 0.1 / std::sqrt(1000);  // clipped: each number is 1 / √1000
  expect(double(p[999]), parameter, "sgd");
  expect(double(shadow.tensors()[0].data[3]), 1 + 0.25 * (parameter - 1), "its average");
  expect(double(shadow.steps()), 1, "its average's steps");
}

}  // namespace

int main() {
  const std::vector<int> labels = {0, 2};
  const std::vector<double> z = {2, 0, -1, 0.5, 1, -3}, trust = {0.75, 0.5};
  prove(own::squared_hinge_loss(hone::classes(labels), {.margin = 1.5}), z, 2, 3, "squared_hinge_loss");
  prove(hone::cross_entropy(hone::classes(labels)) + own::confidence_penalty_term(0.1), z, 2, 3, "confidence penalty");
  const own::trusted_labels<int> trusted{hone::classes(labels), trust};
  prove(hone::cross_entropy(trusted), z, 2, 3, "trusted_labels");
  expect(trusted.of_rows(1, 1).trust[0], trust[1], "trusted_labels of a row");
  std::vector<double> losses(2);
  hone::evaluate(hone::cpu(), hone::cross_entropy(trusted), hone::matrix_view{z.data(), 2, 3},
                 {.unreduced = losses.data()});
  expect(losses[0], std::log(std::exp(2) + 1 + std::exp(-1)) - (0.75 * 2 + 0.25 * (2 + 0 - 1) / 3), "trusted_labels");

  const std::vector<double> boxes = {0, 0, 4, 4, 1, 1, 3, 5}, targets = {0.5, -2, 4.25, 4, 1, 2.5, 3, 5.5};
  const hone::matrix_view<const double> view{targets.data(), 2, 4};
  prove(own::smooth_l1_loss(view), boxes, 2, 4, "smooth_l1_loss");
  prove(own::smooth_l1_loss(view, hone::centers), boxes, 2, 4, "smooth_l1_loss of centers");

  const own::triangular cycles{.low = 1, .high = 3, .period = 8};
  expect(cycles.rate(0), 1, "triangular"), expect(cycles.rate(2), 2, "triangular"),
      expect(cycles.rate(12), 3, "triangular");
  expect(hone::warmup(cycles, {.steps = 4}).rate(10), 2, "warmup of triangular");

  std::vector<float> p = {1, 2};
  const hone::tensor_list<float> parameters{{p.data(), 2}};
  hone::ema_state<float> state(parameters);
  for (const float x : {4.0f, 8.0f, 12.0f}) {
    p[0] = x;
    hone::update(hone::cpu(), own::mean_then_ema{.decay = 0.5, .means = 2}, state, parameters);
  }
  expect(double(state.tensors()[0].data[0]), (6 + 12) / 2.0, "mean_then_ema");
  take_steps();
  train();
  return failures;
}
