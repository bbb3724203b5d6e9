// SPDX-License-Identifier: MIT
/// A whole step of training in two sweeps, on the CPU.
#pragma once

#include <hone/average/averaged_in.hpp>
#include <hone/cpu/tensors/each_number.hpp>
#include <hone/cpu/tensors/transform.hpp>
#include <hone/cpu/tensors/update.hpp>
#include <hone/gradient/update_rule.hpp>

#include <algorithm>
#include <type_traits>
#include <utility>

#include <hone/core/macros_push.hpp>

namespace hone::inline HONE_ABI {
namespace on_cpu {

/// Calls f with gradients times a factor.
template <class F>
struct with_factor {
  F const& f;
  double factor;

  template <class V, class... X>
  HONE_INLINE void operator()(V const& gradient, X&... x) const noexcept {
    f(V(factor) * gradient, x...);
  }
};

/// The same, and then updates an average s of the parameters p.
template <class F>
struct with_factor_and_average {
  F const& f;
  double factor, weight;

  template <class V, class... X>
  HONE_INLINE void operator()(V const& gradient, V& s, V& p, X&... x) const noexcept {
    f(V(factor) * gradient, p, x...);
    s = averaged(s, rounded(p), V(weight));  // rounded as it is stored
  }
};

/// Calls f with n numbers of several arrays, with gradients times `factor`; in double if the factor is out of the range
/// of the arithmetic. At most step_block numbers.
inline constexpr index step_block = 1024;
template <class A>
bool fits_in(double factor) noexcept {
  return detail::scaling{factor, detail::infinity, 1, detail::infinity}.fits<A>(0);
}
template <bool in_packs, class F, class G, class... T>
void call_with_gradients(F const& f, double factor, index n, G const* g, T*... x) noexcept {
  using A = accumulator_t<G>;
  if (fits_in<A>(factor)) return call_for_each<in_packs>(with_factor<F>{f, factor}, n, g, x...);
  A scaled[std::size_t(step_block)];
  convert(g, scaled, n);
  scale_carefully(scaled, n, {factor, detail::infinity, 1, detail::infinity});
  call_for_each<in_packs>(f, n, static_cast<A const*>(scaled), x...);
}

/// A step without an average.
struct no_average {
  static constexpr bool exists = false;
  template <class P>
  static constexpr bool computes_in = false;

  template <class P>
  void require(tensor_list<P> const&) const {}
  void plan() const {}
  template <class P>
  void of(std::size_t, index, index, P const*) const {}
  void done() const {}
};
/// The average of a step: require(parameters), then plan(), then of(tensor, begin, n, p) for all numbers, then done().
template <class Average, class State>
struct step_average {
  static constexpr bool exists = true;
  /// True if parameters are stored in the type of the average.
  template <class P>
  static constexpr bool computes_in = std::is_same_v<decltype(*std::declval<State&>().tensors()[0].data), P&>;

  averaged_in_state<Average, State> const& all;
  detail::update_plan next{};

  template <class P>
  void require(tensor_list<P> const& parameters) const {
    detail::require_update<Average>(*all.state, parameters);
  }
  void plan() { next = detail::next_update(all.average, all.state->progress().get(), all.state->from_zero()); }
  /// Returns whether s = averaged(s, p, next.weight) is all that an update of the tensor does.
  bool averages(std::size_t tensor) const noexcept {
    return next.weight > 0 && next.weight < 1 && !next.clear && !all.state->copies(tensor);
  }
  auto* shadow(std::size_t tensor) const noexcept { return all.state->tensors()[tensor].data; }
  template <class P>
  void of(std::size_t tensor, index begin, index n, P const* p) const noexcept {
    average_numbers(next, all.state->copies(tensor), shadow(tensor) + begin, p, n);
  }
  void done() const { all.state->progress().set(next.after); }
};
template <class Last>
no_average average_of(Last const&) {
  return {};
}
template <class Average, class State>
step_average<Average, State> average_of(averaged_in_state<Average, State> const& last) {
  return {last};
}

template <class Average, class F, class... Step, class G, class P, class... S>
gradient_report take_step(cpu const& backend, gradient_chain<Step...> const& chain, F const& f, Average average,
                          tensor_list<G> const& gradients, tensor_list<P> const& parameters,
                          tensor_list<S> const&... states) {
  using number = std::remove_const_t<G>;
  detail::require_one_factor_of_step(chain);
  detail::require_update_rule<F, number, P, S...>();
  static_assert(sizeof...(S) <= 6, "step: at most 6 states");
  const detail::step_list_names names(sizeof...(S));
  const tensor_list<number const> read_only = gradients;
  if constexpr (Average::exists)
    detail::require_number_lists("step", names.at, read_only, parameters, states..., average.all.state->tensors());
  else
    detail::require_number_lists("step", names.at, read_only, parameters, states...);
  average.require(parameters);
  average.plan();
  const gradient_report report = gradient_job<number const, gradient_chain<Step...>>(backend, chain, read_only)
                                     .measure(detail::largest_number<accumulator_t<number>>());
  if (!report.finite) return report;
  constexpr bool in_packs = detail::takes_operands<F, number const, P, S...>;
  for_tensors(backend, read_only, [&](std::size_t i, index begin, index end) {
    if constexpr (in_packs && Average::template computes_in<P>)
      if (average.averages(i) && fits_in<accumulator_t<number>>(report.factor)) {
        const with_factor_and_average<F> with{f, report.factor, average.next.weight};
        return call_for_each<true>(with, end - begin, read_only[i].data + begin, average.shadow(i) + begin,
                                   parameters[i].data + begin, (states[i].data + begin)...);
      }
    for (index at = begin; at < end; at += step_block) {
      const index n = std::min(step_block, end - at);
      call_with_gradients<in_packs>(f, report.factor, n, read_only[i].data + at, parameters[i].data + at,
                                    (states[i].data + at)...);
      average.of(i, at, n, static_cast<std::remove_const_t<P> const*>(parameters[i].data) + at);
    }
  });
  average.done();
  return report;
}

}  // namespace on_cpu

/// Takes a whole step of training: measures the gradients, and then in one sweep unscales and clips them, updates the
/// parameters and the states of the optimiser, and updates an average. The gradients are not written. If their norm or
/// an unscaled gradient is not finite, nothing is written and the average does not count. Returns the report.
///
///     struct sgd {
///       double rate, momentum;
///       template <hone::operand V>
///       HONE_HD void operator()(V const& g, V& p, V& m) const { m = V(momentum) * m + g, p -= V(rate) * m; }
///     };
///     const auto clip = hone::chain(hone::unscale(scaler), hone::clip_by_global_norm(1));
///     hone::step(cpu, clip, sgd{0.1, 0.9}, gradients, parameters, momenta, hone::averaged_in(average, shadow));
///
/// chain   unscale and clip_by_global_norm, in a hone::chain or alone; hone::unscale(1) if there is neither
/// update  as for_each_number takes it: called with a gradient, after all factors, a number of the parameters, and a
///         number of each state
/// more    up to 6 lists of states, and then hone::averaged_in(average, state) or nothing
/// The bits are those of measure, for_each_number and hone::update.
/// Throws hone::invalid_argument, before anything is written, if lists have different sizes or share memory, or if
/// hone::update would throw.
template <class Step, class F, class G, class P, class... More>
gradient_report step(cpu const& backend, Step const& chain, F const& update, tensor_list<G> const& gradients,
                     tensor_list<P> const& parameters, More const&... more) {
  return detail::split_average(
      [&]<class... State>(auto const& last, State const&... states) {
        static_assert(
            (detail::is_state_list<State> && ...),
            "step: after the parameters come lists of states, and at last hone::averaged_in(average, state) or "
            "nothing");
        return on_cpu::take_step(backend, detail::as_chain(chain), update, on_cpu::average_of(last), gradients,
                                 parameters, states...);
      },
      more...);
}

}  // namespace hone::inline HONE_ABI

#include <hone/core/macros_pop.hpp>
