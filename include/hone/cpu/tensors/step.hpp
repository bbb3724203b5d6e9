// SPDX-License-Identifier: MIT
/// A whole step of training in two sweeps, on the CPU.
#pragma once

#include <hone/average/averaged_in.hpp>
#include <hone/cpu/tensors/each_number.hpp>
#include <hone/cpu/tensors/round_numbers.hpp>
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
static_assert(step_block <= stochastic_store<whole_tensors>::most);
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

/// Checks the lists of a step, and decides what its average does.
template <class Average, class F, class Store, class G, class P, class... S>
void prepare_step(Average& average, Store const& store, tensor_list<G const> const& gradients,
                  tensor_list<P> const& parameters, tensor_list<S> const&... states) {
  detail::require_update_rule<F, G, P, S...>();
  static_assert(sizeof...(S) <= 6, "step: at most 6 states");
  const detail::step_list_names names(sizeof...(S));
  if constexpr (Average::exists)
    detail::require_number_lists("step", names.at, gradients, parameters, states..., average.all.state->tensors());
  else
    detail::require_number_lists("step", names.at, gradients, parameters, states...);
  store.require("step", parameters);
  average.require(parameters);
  average.plan();
}

/// The second sweep of a step whose gradients are finite.
template <class Average, class F, class Store, class G, class P, class... S>
void finish_step(cpu const& backend, F const& f, double factor, Average const& average, Store const& store,
                 tensor_list<G const> const& gradients, tensor_list<P> const& parameters,
                 tensor_list<S> const&... states) {
  constexpr bool in_packs = detail::takes_operands<F, G const, P, S...>;
  for_tensors(backend, gradients, [&](std::size_t i, index begin, index end) {
    if constexpr (in_packs && Store::computes_in_place && Average::template computes_in<P>)
      if (average.averages(i) && fits_in<accumulator_t<G>>(factor)) {
        const with_factor_and_average<F> with{f, factor, average.next.weight};
        return call_for_each<true>(with, end - begin, gradients[i].data + begin, average.shadow(i) + begin,
                                   parameters[i].data + begin, (states[i].data + begin)...);
      }
    for (index at = begin; at < end; at += step_block) {
      const index n = std::min(step_block, end - at);
      store(i, at, n, parameters[i].data + at, [&](auto* p) {
        call_with_gradients<in_packs>(f, factor, n, gradients[i].data + at, p, (states[i].data + at)...);
      });
      average.of(i, at, n, static_cast<std::remove_const_t<P> const*>(parameters[i].data) + at);
    }
  });
  average.done();
}

template <class Average, class F, class... Step, class Store, class G, class P, class... S>
gradient_report take_step(cpu const& backend, gradient_chain<Step...> const& chain, F const& f, Average average,
                          Store const& store, tensor_list<G> const& gradients, tensor_list<P> const& parameters,
                          tensor_list<S> const&... states) {
  using number = std::remove_const_t<G>;
  detail::require_one_factor_of_step(chain);
  tensor_list<number const> const& read_only = gradients;
  prepare_step<Average, F>(average, store, read_only, parameters, states...);
  const gradient_report report = gradient_job<number const, gradient_chain<Step...>>(backend, chain, read_only)
                                     .measure(detail::largest_number<accumulator_t<number>>());
  if (report.finite) finish_step(backend, f, report.factor, average, store, read_only, parameters, states...);
  return report;
}

/// Splits off the average.
template <class Step, class F, class Store, class G, class P, class... More>
gradient_report step_and_store(cpu const& backend, Step const& chain, F const& update, Store const& store,
                               tensor_list<G> const& gradients, tensor_list<P> const& parameters, More const&... more) {
  return detail::split_average(
      [&]<class... State>(auto const& last, State const&... states) {
        static_assert(
            (detail::is_state_list<State> && ...),
            "step: after the parameters come lists of states, and at last hone::averaged_in(average, state) or "
            "nothing");
        return take_step(backend, detail::as_chain(chain), update, average_of(last), store, gradients, parameters,
                         states...);
      },
      more...);
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
  return on_cpu::step_and_store(backend, chain, update, on_cpu::nearest_store(), gradients, parameters, more...);
}
/// The same with parameters of 16 bits that are rounded stochastically.
///
///     const hone::stochastic_rounding rounding{.seed = 1, .step = step};
///     hone::step(cpu, clip, sgd{0.1, 0.9}, gradients, hone::rounded_by(rounding, parameters), momenta);
template <class Step, class F, class G, class P, class... More>
gradient_report step(cpu const& backend, Step const& chain, F const& update, tensor_list<G> const& gradients,
                     rounded_list<stochastic_rounding, tensor_list<P>> const& parameters, More const&... more) {
  const on_cpu::stochastic_store store{parameters.rounding, on_cpu::whole_tensors()};
  return on_cpu::step_and_store(backend, chain, update, store, gradients, *parameters.parameters, more...);
}

}  // namespace hone::inline HONE_ABI

#include <hone/core/macros_pop.hpp>
