// SPDX-License-Identifier: MIT
/// Losses of hone as output layers of mlpack's networks (mlpack 4), and gradient steps, schedules and averages as
/// callbacks of ensmallen's optimisers.
///
///     mlpack::FFN<hone::adapt::output_layer<hone::adapt::smoothed_classes>> net(
///         hone::adapt::output_layer(hone::adapt::smoothed_classes{.epsilon = 0.1}));
///     net.Add<mlpack::Linear>(10);  // logits: no LogSoftMax behind it
///     net.Train(x, y, optimizer, hone::adapt::on_gradient(cpu, hone::clip_by_global_norm(5)));
#pragma once

#include <hone/adapt/armadillo.hpp>
#include <hone/average/ema_state.hpp>
#include <hone/core/reduction.hpp>
#include <hone/cpu/evaluate.hpp>
#include <hone/cpu/tensors/transform.hpp>
#include <hone/cpu/tensors/update.hpp>
#include <hone/distil/distillation.hpp>
#include <hone/loss/row/cross_entropy.hpp>
#include <hone/loss/row/softmax_focal.hpp>
#include <hone/schedule/schedule.hpp>
#include <hone/target/smooth.hpp>

#include <cstdint>
#include <span>
#include <type_traits>
#include <utility>
#include <vector>

#include <hone/core/macros_push.hpp>

namespace hone::inline HONE_ABI {
namespace adapt {

/// The targets of a batch: row 0 of mlpack's responses are labels, the rows below belong to the loss.
template <class E>
struct mlpack_targets {
  std::span<const index> labels;
  matrix_view<const E> below;  ///< samples x (rows of the responses - 1)
};

/// Cross entropy of labels smoothed by epsilon; samples with the label `ignore` do not count.
struct smoothed_classes {
  static constexpr bool needs_numbers_below = false;

  double epsilon = 0.1;
  index ignore = -1;

  template <class E>
  auto objective(mlpack_targets<E> const& t) const {
    return cross_entropy(smooth(classes(t.labels, {.ignore = ignore}), epsilon));
  }
  template <class Archive>
  void serialize(Archive& archive, std::uint32_t /* version */) {
    archive(epsilon, ignore);
  }
};

/// The softmax focal loss of labels.
struct focal_classes {
  static constexpr bool needs_numbers_below = false;

  double gamma = 2;
  index ignore = -1;

  template <class E>
  auto objective(mlpack_targets<E> const& t) const {
    return softmax_focal_loss(classes(t.labels, {.ignore = ignore}), {.gamma = gamma});
  }
  template <class Archive>
  void serialize(Archive& archive, std::uint32_t /* version */) {
    archive(gamma, ignore);
  }
};

/// (1 - weight) · cross entropy + weight · distillation at a temperature. The teacher's logits are the rows of the
/// responses below the labels: 1 + classes rows, which mlpack shuffles with the samples.
struct distilled_classes {
  static constexpr bool needs_numbers_below = true;

  double temperature = 4, weight = 0.5;
  index ignore = -1;

  template <class E>
  auto objective(mlpack_targets<E> const& t) const {
    return (1 - weight) * cross_entropy(classes(t.labels, {.ignore = ignore})) +
           weight * distillation(t.below, temperature);
  }
  template <class Archive>
  void serialize(Archive& archive, std::uint32_t /* version */) {
    archive(temperature, weight, ignore);
  }
};

/// An output layer of mlpack::FFN. `Loss` is one of the structs above, or one of your own: its objective(targets)
/// returns an objective of hone. The network's output are logits, a column per sample; responses are labels in 0 …
/// classes - 1, a row. Throws hone::invalid_argument for labels that are no integers or no classes. With `sum`, as
/// mlpack's layers have it by default, the loss of a batch is the sum over its samples, otherwise their mean.
template <class Loss, class MatType = arma::mat>
class output_layer {
 public:
  explicit output_layer(Loss loss = {}, bool sum = true, cpu backend = {})
      : loss_(loss), sum_(sum), backend_(backend) {}

  /// Returns the loss of a batch.
  typename MatType::elem_type Forward(MatType const& prediction, MatType const& target) {
    return static_cast<typename MatType::elem_type>(
        evaluate(backend_, loss_.objective(targets(prediction, target)), columns_of(prediction), {}, how()));
  }
  /// Sets the gradient of the loss by the logits.
  void Backward(MatType const& prediction, MatType const& target, MatType& gradient) {
    const auto objective = loss_.objective(targets(prediction, target));
    gradient.set_size(prediction.n_rows, prediction.n_cols);
    evaluate(backend_, objective, columns_of(prediction), {.gradient = columns_of(gradient)}, how());
  }

  Loss& loss() noexcept { return loss_; }

  template <class Archive>
  void serialize(Archive& archive, std::uint32_t version) {
    archive(sum_);
    loss_.serialize(archive, version);
  }

 private:
  reduction how() const { return sum_ ? reduction(hone::sum) : reduction(hone::mean); }

  /// Copies the labels into integers.
  mlpack_targets<typename MatType::elem_type> targets(MatType const& prediction, MatType const& target) {
    const index samples = index(prediction.n_cols), rows = index(target.n_rows);
    if (index(target.n_cols) != samples || rows != (Loss::needs_numbers_below ? 1 + index(prediction.n_rows) : 1))
      hone::detail::fail(
          "output_layer: responses are %jd x %jd, must be %jd x %jd", std::intmax_t(rows), std::intmax_t(target.n_cols),
          std::intmax_t(Loss::needs_numbers_below ? 1 + index(prediction.n_rows) : 1), std::intmax_t(samples));
    labels_.resize(std::size_t(samples));
    for (index i = 0; i < samples; ++i) {
      const auto label = static_cast<double>(target(0, arma::uword(i)));
      if (!(label >= -0x1p53 && label <= 0x1p53 && static_cast<double>(static_cast<index>(label)) == label))
        hone::detail::fail("output_layer: the label of sample %jd is %.9g, must be an integer", std::intmax_t(i),
                           label);
      labels_[std::size_t(i)] = static_cast<index>(label);
    }
    return {labels_, {rows > 1 ? target.memptr() + 1 : nullptr, samples, rows - 1, rows}};
  }

  Loss loss_;
  bool sum_;
  cpu backend_;
  std::vector<index> labels_;
};

/// mlpack keeps all parameters of a network in one matrix, and their gradient in another: lists of one tensor.
template <class Network>
auto parameters(Network& net) {
  return tensors_of(net.Parameters());
}
template <hone::detail::arma_dense X>
auto gradients(X& gradient) {
  return tensors_of(gradient);
}

/// An ensmallen callback that transforms every gradient before the optimiser sees it: a gradient step such as
/// hone::clip_by_global_norm(5), or a chain of them.
template <class Step>
class on_gradient {
 public:
  on_gradient(cpu backend, Step step) : backend_(backend), step_(step) {}

  template <class Optimizer, class Function, class Coordinates, class Matrix>
  void Gradient(Optimizer&, Function&, Coordinates const&, Matrix& gradient) {
    transform(backend_, step_, gradients(gradient));
  }

 private:
  cpu backend_;
  Step step_;
};

/// An ensmallen callback that averages the parameters after every step of the optimiser. The state must outlive it; its
/// shadow begins as the network's parameters.
template <class Average, class T>
class on_step {
 public:
  on_step(cpu backend, Average average, ema_state<T>& shadow)
      : backend_(backend), average_(average), shadow_(&shadow) {}

  template <class Optimizer, class Function, class Coordinates>
  void StepTaken(Optimizer&, Function&, Coordinates& coordinates) {
    update(backend_, average_, *shadow_, tensors_of(coordinates));
  }

 private:
  cpu backend_;
  Average average_;
  ema_state<T>* shadow_;
};

/// An ensmallen callback that sets the optimiser's StepSize() to the rate of each step, from step 0 on. A callback that
/// is given to Train again goes on where it was. After each training the optimiser has its own step size again. Does
/// not compile with an optimiser that has no StepSize(); decay policies of ensmallen would change the rate.
template <schedule Schedule>
class scheduled_rate {
 public:
  explicit scheduled_rate(Schedule schedule, index first_step = 0) : schedule_(schedule), step_(first_step) {
    static_cast<void>(schedule_.rate(step_));  // throws for a schedule that is not valid
  }

  index steps() const noexcept { return step_; }

  template <class Optimizer, class Function, class Coordinates>
  void BeginOptimization(Optimizer& optimizer, Function&, Coordinates&) {
    own_ = step_size(optimizer);
    step_size(optimizer) = schedule_.rate(step_);
  }
  template <class Optimizer, class Function, class Coordinates>
  void StepTaken(Optimizer& optimizer, Function&, Coordinates&) {
    step_size(optimizer) = schedule_.rate(++step_);
  }
  template <class Optimizer, class Function, class Coordinates>
  void EndOptimization(Optimizer& optimizer, Function&, Coordinates&) {
    step_size(optimizer) = own_;
  }

 private:
  template <class Optimizer>
  double& step_size(Optimizer& optimizer) {
    constexpr bool settable = requires { optimizer.StepSize() = 0.0; };
    static_assert(settable, "scheduled_rate: this optimiser has no StepSize to set");
    if constexpr (settable)
      return optimizer.StepSize();
    else
      return own_;
  }

  Schedule schedule_;
  index step_;
  double own_ = 0;
};

}  // namespace adapt
}  // namespace hone::inline HONE_ABI

#include <hone/core/macros_pop.hpp>
