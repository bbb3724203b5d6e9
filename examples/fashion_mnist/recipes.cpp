// SPDX-License-Identifier: MIT
#include "recipes.hpp"

namespace demo {
namespace {

template <class Matrix>
auto view_of(Matrix& m) {
  return hone::matrix_view{m.data(), m.rows(), m.cols()};
}

/// One step of a trainer. Only the loss and its gradient come from hone.
template <class Objective>
double train_step(trainer& t, const batch& b, const Objective& objective, double rate) {
  const matrix<float>& logits = t.net.forward(b.images);
  t.logit_gradient.resizeLike(logits);
  const double loss = hone::evaluate(t.cpu, objective, view_of(logits), {.gradient = view_of(t.logit_gradient)});  // hone
  t.net.backward(t.logit_gradient);
  t.optimizer.update(t.net.parameters, t.net.gradient, rate);
  return loss;
}

}  // namespace

std::vector<recipe> all_recipes(const plan& plan) {
  const auto one_hot = [](trainer& t, const batch& b, double rate) {
    return train_step(t, b, hone::cross_entropy(hone::classes(b.labels)), rate);  // hone
  };
  const auto smoothed = [](trainer& t, const batch& b, double rate) {
    return train_step(t, b, hone::cross_entropy(hone::smooth(hone::classes(b.labels), 0.1f)), rate);  // hone
  };
  const auto constant = [rate = plan.rate](hone::index) { return rate; };
  const hone::warmup_cosine schedule{.start = 0, .peak = plan.rate, .floor = 0, .warmup = plan.steps / 20, .total = plan.steps};  // hone
  const auto scheduled = [schedule](hone::index step) { return schedule.rate(step); };  // hone

  return {
      {"baseline", "one-hot labels, constant rate", constant, one_hot},
      {"smoothing", "labels smoothed by 0.1, constant rate", constant, smoothed},
      {"schedule", "one-hot labels, warm-up and cosine", scheduled, one_hot},
      {"refined", "labels smoothed by 0.1, warm-up and cosine", scheduled, smoothed},
  };
}

}  // namespace demo
