// SPDX-License-Identifier: MIT
/// An average that is updated in the sweep of the optimiser's step.
#pragma once

#include <hone/average/averaging.hpp>

#include <cstddef>
#include <tuple>
#include <utility>

#include <hone/core/macros_push.hpp>

namespace hone::inline HONE_ABI {

/// An average and its state, which is viewed.
template <class Average, class State>
struct averaged_in_state {
  Average average;
  State* state;
};

/// The last argument of hone::step: updates `state` by `average` in the same sweep, as hone::update does after it.
///
///     hone::step(cpu, clip, sgd, gradients, parameters, momenta, hone::averaged_in(average, shadow));
template <class Average, class State>
averaged_in_state<Average, State> averaged_in(Average const& average, State& state) {
  static_assert(averaging<Average>,
                "averaged_in: the average is hone::ema, hone::swa or has average_step at(integer) const");
  static_assert(
      requires { state.progress(); },
      "averaged_in: the state is a hone::ema_state, or a hone::device_ema_state on CUDA");
  return {average, &state};
}

namespace detail {

template <class Last>
inline constexpr bool is_averaged_in = false;
template <class Average, class State>
inline constexpr bool is_averaged_in<averaged_in_state<Average, State>> = true;

/// Returns f(average, first, second, …) if the last of `more` is an averaged_in_state, and f(0, more…) if not.
template <class F, class... More>
auto split_average(F const& f, More const&... more) {
  constexpr std::size_t n = sizeof...(More);
  const auto all = std::tie(more..., n);
  constexpr bool averages = is_averaged_in<std::tuple_element_t<n == 0 ? 0 : n - 1, std::tuple<More..., int>>>;
  return [&]<std::size_t... I>(std::index_sequence<I...>) {
    if constexpr (averages)
      return f(std::get<n - 1>(all), std::get<I>(all)...);
    else
      return f(0, std::get<I>(all)...);
  }(std::make_index_sequence<n - (averages ? 1 : 0)>());
}

}  // namespace detail
}  // namespace hone::inline HONE_ABI

#include <hone/core/macros_pop.hpp>
