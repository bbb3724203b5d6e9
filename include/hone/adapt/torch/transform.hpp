// SPDX-License-Identifier: MIT
/// Gradient steps of hone on the gradients of a module, and the optimiser's step behind them.
#pragma once

#include <hone/adapt/torch/module_tensors.hpp>
#include <hone/cpu.hpp>
#include <hone/gradient/adaptive_clip.hpp>
#include <hone/gradient/unscale.hpp>

#include <torch/optim/optimizer.h>

#include <concepts>
#include <cstddef>
#include <tuple>
#include <type_traits>
#include <vector>

#include <hone/core/macros_push.hpp>

namespace hone::inline HONE_ABI {

namespace adapt {

/// The step of adaptive_clip on the parameters of a module, which are viewed.
struct module_adaptive_clip {
  static constexpr step_kind kind = step_kind::unit_norm;

  parameter_list const* parameters;
  adaptive_clip_options options;

  /// The step for a list of gradients, of which some may be undefined.
  template <class T>
  adaptive_clip_step<T> on(gradient_list const& gradients, std::size_t listed) const {
    if (parameters->size() != gradients.size())
      hone::detail::fail("transform: %zu parameters in adaptive_clip, %zu of the gradients", parameters->size(),
                         gradients.size());
    tensor_list<T> const& all = parameters->as<T>();
    tensor_list<T> list;
    list.reserve(listed);
    adaptive_clip_options its = options;
    its.excluded.clear();
    for (std::size_t i = 0; i < listed; ++i) {
      const std::size_t place = gradients.place(i);
      if (!parameters->parameter(place).is_same(gradients.parameter(place)))
        hone::detail::fail(
            "transform: parameter %zu of adaptive_clip is %s, that of the gradients is %s, another tensor", place,
            parameters->name(place).c_str(), gradients.name(place).c_str());
      if (options.units == agc_units::columns &&
          !(parameters->parameter(place).is_contiguous() && gradients.parameter(place).grad().is_contiguous()))
        hone::detail::fail("transform: %s is not contiguous, must be for units that are columns",
                           parameters->name(place).c_str());
      list.push_back(all[place]);
      for (const std::size_t excluded : options.excluded)
        if (excluded == place) its.excluded.push_back(i);
    }
    return hone::adaptive_clip(list, std::move(its));
  }
};

namespace detail {

template <class T, class Step>
auto bound(Step const& step, gradient_list const& gradients, std::size_t listed) {
  if constexpr (std::same_as<Step, module_adaptive_clip>)
    return step.template on<T>(gradients, listed);
  else
    return step;
}
/// The chain for gradients of T.
template <class T, class... Step>
auto bound_chain(gradient_chain<Step...> const& chain, gradient_list const& gradients, std::size_t listed) {
  return std::apply([&](Step const&... step) { return hone::chain(detail::bound<T>(step, gradients, listed)...); },
                    chain.steps);
}

template <class... Step>
auto after_unscale(loss_scaler const& scaler, gradient_chain<Step...> const& chain) {
  return std::apply([&](Step const&... step) { return hone::chain(hone::unscale(scaler), step...); }, chain.steps);
}

}  // namespace detail
}  // namespace adapt

/// hone::adaptive_clip for the gradients of these parameters. `excluded` counts parameters; see
/// adapt::module_tensors::matching. The parameters are viewed. Throws hone::invalid_argument as hone::adaptive_clip
/// does.
///
///     const auto parameters = hone::adapt::parameters(net);
///     hone::transform(cpu, hone::adaptive_clip(parameters, {.excluded = parameters.matching({"head.*"})}), gradients);
template <class Parameters>
  requires std::same_as<std::remove_cvref_t<Parameters>, adapt::parameter_list>
adapt::module_adaptive_clip adaptive_clip(Parameters&& parameters, adaptive_clip_options options = {}) {
  static_assert(std::is_lvalue_reference_v<Parameters>,
                "adaptive_clip: the parameters are viewed, not copied: give the list a name first");
  for (const std::size_t i : options.excluded)
    if (i >= parameters.size()) detail::fail("adaptive_clip: excluded names tensor %zu of %zu", i, parameters.size());
  return {&parameters, std::move(options)};
}

/// hone::transform for the gradients of a module: clips and unscales them in place. Without gradients it reports a norm
/// of 0.
template <class Step>
gradient_report transform(cpu const& backend, Step const& step, adapt::gradient_list const& gradients) {
  return gradients.visit([&]<class T>(tensor_list<T> const& list) {
    const auto chain = adapt::detail::bound_chain<T>(detail::as_chain(step), gradients, list.size());
    const gradient_report report = transform(backend, chain, list);
    if (report.finite) gradients.mark_written();
    return report;
  });
}

/// hone::measure for the gradients of a module.
template <class Step>
gradient_report measure(cpu const& backend, Step const& step, adapt::gradient_list const& gradients) {
  return gradients.visit([&]<class T>(tensor_list<T> const& list) { return measure(backend, step, list); });
}

namespace adapt {

/// Transforms the gradients and, if they are finite, makes the optimiser's step. Not for LBFGS, which takes a closure.
///
///     hone::adapt::step(cpu, optimizer, hone::clip_by_global_norm(5), gradients);
template <class Step>
gradient_report step(cpu const& backend, torch::optim::Optimizer& optimizer, Step const& chain,
                     gradient_list const& gradients) {
  const gradient_report report = hone::transform(backend, chain, gradients);
  if (report.finite) optimizer.step();
  return report;
}

/// The same for the gradients of a loss that was multiplied by scaler.scale(): unscales them first, and updates the
/// scaler.
///
///     (loss * scaler.scale()).backward();
///     hone::adapt::step(cpu, optimizer, scaler, hone::clip_by_global_norm(5), gradients);
template <class Step>
gradient_report step(cpu const& backend, torch::optim::Optimizer& optimizer, loss_scaler& scaler, Step const& chain,
                     gradient_list const& gradients) {
  const gradient_report report =
      adapt::step(backend, optimizer, detail::after_unscale(scaler, hone::detail::as_chain(chain)), gradients);
  scaler.update(report.finite);
  return report;
}
inline gradient_report step(cpu const& backend, torch::optim::Optimizer& optimizer, loss_scaler& scaler,
                            gradient_list const& gradients) {
  return adapt::step(backend, optimizer, scaler, gradient_chain<>(), gradients);
}

}  // namespace adapt
}  // namespace hone::inline HONE_ABI

#include <hone/core/macros_pop.hpp>
