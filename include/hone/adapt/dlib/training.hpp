// SPDX-License-Identifier: MIT
/// Gradient steps, adaptive clipping and rates for dlib's training: in a loop of one's own, and inside dnn_trainer.
#pragma once

#include <hone/adapt/dlib/tensors.hpp>
#include <hone/cpu/tensors/transform.hpp>
#include <hone/gradient/adaptive_clip.hpp>

#include <dlib/dnn.h>

#include <concepts>
#include <functional>
#include <iosfwd>
#include <limits>
#include <memory>
#include <utility>

#include <hone/core/macros_push.hpp>

namespace hone::inline HONE_ABI {

/// Does not compile: the units of dlib's fc are columns, those of con are rows, and a step has one kind of units.
template <std::same_as<adapt::dlib_tensors> Parameters>
void adaptive_clip(Parameters const&, adaptive_clip_options const& = {}) {
  static_assert(
      !std::same_as<Parameters, adapt::dlib_tensors>,
      "adaptive_clip: fc of dlib has its units in columns, con in rows: call hone::adapt::adaptive_clip(cpu, net)");
}

namespace adapt {

/// Clips the gradients of a net adaptively, in place, with the units of dlib's layers: the filters of con, the outputs
/// of fc; of all others each part is one unit, as in timm. `options.excluded` are places in the lists of parameters()
/// and gradients(), from the loss on: {0, 1} are weights and bias of the last fc. options.units is not read. Returns
/// the report of hone::transform.
template <detail::dlib_net Net>
gradient_report adaptive_clip(cpu const& backend, Net& net, adaptive_clip_options const& options = {}) {
  const detail::shaped_tensors weights = detail::tensors_of("adaptive_clip", net, false);
  const detail::shaped_tensors slopes = detail::tensors_of("adaptive_clip", net, true);
  gradient_report report;
  for (const bool by_column : {false, true}) {
    adaptive_clip_options pass = options;
    pass.units = by_column ? agc_units::columns : agc_units::rows;
    for (std::size_t i = 0; i < weights.by_column.size(); ++i)
      if (weights.by_column[i] != by_column) pass.excluded.push_back(i);
    const gradient_report found = transform(backend, hone::adaptive_clip(weights.list, pass), slopes.list);
    if (!by_column) report = found;  // its norm is that before any clipping
    if (!found.finite) return found;
  }
  return report;
}

/// A solver of dlib that first changes the gradients of the whole net, for dnn_trainer, which has no place for this:
/// each layer has a solver of its own, and the first one that is called in a step transforms all gradients.
///
///     using solver = hone::adapt::clipped<dlib::sgd>;
///     dlib::dnn_trainer<net_type, solver> trainer(net, solver(net, hone::clip_by_global_norm(5), dlib::sgd(5e-4f)));
///
/// The step is one of hone::transform, or a callable that changes the gradients of the net itself, such as
/// [](net_type& net) { hone::adapt::adaptive_clip(hone::cpu(), net); }. It must not depend on the number of a step.
/// The net is viewed and must not move. A trainer on several devices has copies of the net, whose gradients the step
/// cannot reach: hone::invalid_argument, which leaves a later call of the trainer. So does that of a solver without a
/// net. Saved and loaded as Solver; the step is not saved.
template <class Solver>
class clipped {
 public:
  clipped() = default;
  template <detail::dlib_net Net, class Step>
  clipped(Net& net, Step step, Solver solver = {}, cpu backend = {})
      : solver_(std::move(solver)), hook_(std::make_shared<hook>()) {
    hook_->place_of = [&net](dlib::tensor const* gradient) {
      index place = -1, k = 0;
      dlib::visit_layer_parameter_gradients(net, [&](dlib::tensor& g) {
        if (&g == gradient) place = k;
        ++k;
      });
      return place;
    };
    hook_->change = [&net, step = std::move(step), backend] {
      if constexpr (std::invocable<Step const&, Net&>)
        static_cast<void>(backend), step(net);
      else
        transform(backend, step, gradients(net));
    };
  }

  template <class Layer>
  dlib::tensor const& operator()(float rate, Layer const& layer, dlib::tensor const& gradient) {
    if (!hook_) detail::fail("clipped: the solver has no net, construct it with one and a step");
    const index place = hook_->place_of(&gradient);
    if (place < 0) detail::fail("clipped: the gradient is not of the solver's net: the trainer has several devices");
    if (place <= std::exchange(hook_->last, place)) hook_->change();  // solvers are called from the loss on
    return solver_(rate, layer, gradient);
  }

  Solver const& solver() const noexcept { return solver_; }

  friend void serialize(clipped const& item, std::ostream& out) { serialize(item.solver_, out); }
  friend void deserialize(clipped& item, std::istream& in) { deserialize(item.solver_, in); }
  friend std::ostream& operator<<(std::ostream& out, clipped const& item) { return out << "clipped " << item.solver_; }

 private:
  /// What the solvers of all layers share.
  struct hook {
    std::function<index(dlib::tensor const*)> place_of;
    std::function<void()> change;
    index last = std::numeric_limits<index>::max();  // the place of the last call, so that the first begins a step
  };

  Solver solver_;
  std::shared_ptr<hook> hook_;
};

/// Sets the learning rate of a dnn_trainer for the next step. Call it once per step: set_learning_rate_schedule uses
/// the first rate for two steps. dlib also shrinks the rate by itself, unless set_learning_rate_shrink_factor(1) was
/// called. Throws hone::invalid_argument unless the rate is finite and positive; in dlib a second such error ends the
/// process.
template <class Trainer>
void set_rate(Trainer& trainer, double rate) {
  hone::detail::require_positive("set_rate", "rate", rate);
  trainer.set_learning_rate(rate);
}

}  // namespace adapt
}  // namespace hone::inline HONE_ABI

#include <hone/core/macros_pop.hpp>
