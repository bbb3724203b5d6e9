// SPDX-License-Identifier: MIT
#include "recipes.hpp"

#include <cstdio>

namespace demo {
namespace {

// The best of 0.0025, 0.005, 0.01 … for each kind, on training images that were held out (README.md).
constexpr double constant_rate = 0.005, peak_rate = 0.04;

template <class Matrix>
auto view_of(Matrix& m) {
  return hone::matrix_view{m.data(), m.rows(), m.cols()};
}

/// One step of the trainer. Only the loss and its gradient come from hone.
template <class Objective>
double train_step(trainer& t, const batch& b, const Objective& objective, double rate) {
  const matrix<float>& logits = t.net.forward(b.images);
  t.logit_gradient.resizeLike(logits);
  const hone::outputs<float> outputs{.gradient = view_of(t.logit_gradient)};       // hone
  const double loss = hone::evaluate(t.cpu, objective, view_of(logits), outputs);  // hone
  t.net.backward(t.logit_gradient);
  t.optimizer.update(t.net.parameters, t.net.gradient, rate);
  return loss;
}

double one_hot(trainer& t, const batch& b, double rate) {
  return train_step(t, b, hone::cross_entropy(hone::classes(b.labels)), rate);  // hone
}

double smoothed(trainer& t, const batch& b, double rate) {
  return train_step(t, b, hone::cross_entropy(hone::smooth(hone::classes(b.labels), 0.1f)), rate);  // hone
}

std::string with(const char* text, double rate) {
  char line[120];
  std::snprintf(line, sizeof line, "%s %g", text, rate);
  return line;
}

}  // namespace

std::vector<recipe> all_recipes(const plan& plan) {
  const double rate = plan.rate.value_or(constant_rate), peak = plan.rate.value_or(peak_rate);
  const auto constant = [rate](hone::index) { return rate; };
  const hone::warmup_cosine schedule{.peak = peak, .warmup = plan.steps / 20, .total = plan.steps};  // hone
  const auto scheduled = [schedule](hone::index step) { return schedule.rate(step); };               // hone

  return {
      {"baseline", with("one-hot labels, constant rate", rate), constant, one_hot},
      {"smoothing", with("labels smoothed by 0.1, constant rate", rate), constant, smoothed},
      {"schedule", with("one-hot labels, warm-up to", peak) + " and cosine", scheduled, one_hot},
      {"refined", with("labels smoothed by 0.1, warm-up to", peak) + " and cosine", scheduled, smoothed},
  };
}

}  // namespace demo
