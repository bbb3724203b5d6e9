// SPDX-License-Identifier: MIT
#include "step.hpp"

namespace ladder {
namespace {

template <class Matrix>
auto view_of(Matrix& m) {
  return hone::matrix_view{m.data(), m.rows(), m.cols()};
}

}  // namespace

stepper::stepper(const training& what, const plan& plan, network* teacher, hone::index steps)
    : what_(what),
      plan_(plan),
      teacher_(teacher),
      kind_(network_named(what.network)),
      constant_(plan.rate.value_or(kind_.constant_rate)),
      schedule_{.peak = plan.rate.value_or(kind_.peak_rate), .warmup = steps / 20, .total = steps},  // hone
      average_{.decay = plan.average_decay, .ramp = hone::threshold_ramp()} {}                       // hone

void stepper::begin(training_state& state) const {
  state.velocity.setZero(state.net->parameters().size());
  if (what_.with.zero_gamma) zero_gammas(*state.net);
  if (what_.with.average) state.average.emplace(state_of(*state.net));  // hone
}

double stepper::rate(hone::index step) const { return what_.with.schedule ? schedule_.rate(step) : constant_; }  // hone

/// Without mixup every image stays as it is.
hone::mixup_draw stepper::draw(hone::index step, hone::index rows) const {
  if (what_.with.mixup) return hone::mixup{.alpha = plan_.alpha}.draw(what_.seed, step, rows);  // hone
  hone::mixup_draw none;
  none.lambda.assign(static_cast<std::size_t>(rows), 1.0f);
  for (hone::index i = 0; i < rows; ++i) none.partner.push_back(i);
  return none;
}

double stepper::step(training_state& state, demo::batch& batch, hone::index step) {
  const hone::mixup_draw draw = this->draw(step, batch.images.rows());
  if (what_.with.mixup) {
    mixed_.resizeLike(batch.images);
    hone::blend(cpu_, draw, view_of(batch.images), view_of(mixed_));  // hone
    batch.images.swap(mixed_);
  }
  const auto labels = hone::smooth(hone::mix(hone::classes(batch.labels),                        // hone
                                             hone::partner_classes(batch.labels, draw.partner),  // hone
                                             draw.lambda),                                       // hone
                                   what_.with.smoothing ? plan_.smoothing : 0);                  // hone
  const matrix<float>& logits = state.net->forward(batch.images, {.training = true, .step = step});
  gradient_.resizeLike(logits);
  const hone::outputs<float> outputs{.gradient = view_of(gradient_)};  // hone
  double loss = 0;
  if (what_.with.distillation) {
    const double soft = what_.soft_weight;
    const matrix<float>& taught = teacher_->forward(batch.images, {});                     // it sees the same mixtures
    const auto objective = (1 - soft) * hone::cross_entropy(labels) +                      // hone
                           soft * hone::distillation(view_of(taught), plan_.temperature);  // hone
    loss = hone::evaluate(cpu_, objective, view_of(logits), outputs);                      // hone
  } else {
    loss = hone::evaluate(cpu_, hone::cross_entropy(labels), view_of(logits), outputs);  // hone
  }
  state.net->backward(gradient_);
  update(state, rate(step));
  if (state.average) hone::update(cpu_, average_, *state.average, state_of(*state.net));  // hone
  return loss;
}

/// Stochastic gradient descent with momentum; weight decay is part of the gradient.
void stepper::update(training_state& state, double rate) {
  if (decay_.size() == 0) decay_ = decay_of(*state.net, static_cast<float>(plan_.weight_decay), what_.with.no_decay);
  Eigen::VectorXf& parameters = state.net->parameters();
  state.velocity =
      static_cast<float>(plan_.momentum) * state.velocity + state.net->gradient() + decay_.cwiseProduct(parameters);
  parameters -= static_cast<float>(rate) * state.velocity;
}

}  // namespace ladder
