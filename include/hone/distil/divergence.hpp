// SPDX-License-Identifier: MIT
/// Kullback-Leibler divergences of distributions that are close to each other, without the cancellation of a
/// difference of two logarithms. With weights w, other weights o = w e^d, W = Σ w, O = Σ o, c the rounded log(O/W),
/// and x = d - c,
///   KL(w ‖ o) = Σ w (e^x - 1 - x) / W - y²/2,   y = Σ w (e^x - 1) / W
/// No term of the first sum is negative. y would be 0 if c were not rounded; y²/2 removes the effect of this rounding.
#pragma once

#include <hone/core/operand.hpp>

#include <hone/core/macros_push.hpp>

namespace hone::inline HONE_ABI::detail {

/// Whether an operand computes in float.
template <class V>
inline constexpr bool computes_in_float = std::same_as<V, float>;
template <class V>
  requires requires { typename V::number; }
inline constexpr bool computes_in_float<V> = std::same_as<typename V::number, float>;

/// Returns Σ x^(k-K) / k! for k from K to Last.
template <int K, int Last, operand V>
[[gnu::always_inline]] HONE_HD inline V exponential_series(V x) {
  constexpr auto factorial = [] {
    double product = 1;
    for (int k = 2; k <= K; ++k) product *= k;
    return product;
  }();
  if constexpr (K == Last) {
    return V(1 / factorial);
  } else {
    return V(1 / factorial) + x * exponential_series<K + 1, Last>(x);
  }
}

/// Logarithms below it use the series; above it, differences lose at most five bits.
inline constexpr double near_logarithms = 0.25;

/// Returns e^x - 1 - x for abs(x) <= near_logarithms, exact to the last place.
template <operand V>
[[gnu::always_inline]] HONE_HD inline V exponential_excess(V x) {
  return x * x * exponential_series<2, computes_in_float<V> ? 7 : 13>(x);
}

/// Returns log(1 + x) for x in [0, 1/100], exact to the last place.
template <int K = 1, operand V>
[[gnu::always_inline]] HONE_HD inline V small_log1p(V x) {
  if constexpr (K == (computes_in_float<V> ? 4 : 8)) {
    return x * V(1.0 / K);
  } else {
    return x * (V(1.0 / K) - small_log1p<K + 1>(x));
  }
}

/// The contributions of a class to the sums of e^x - 1 - x, of x and of e^x - 1, each times its weight; `other` is o
/// W/O. A class of weight 0 adds `other` to the first and nothing to the second.
template <operand V>
struct divergence_part {
  V excess, linear, rise;

  [[gnu::always_inline]] HONE_HD divergence_part(V weight, V other, V x) {
    const V none(0);
    const auto is_near = abs(x) < V(near_logarithms);
    const V near(min(max(x, V(-near_logarithms)), V(near_logarithms)));  // 0 · inf would raise an exception
    linear = weight * select(weight == none, none, x);
    const V near_excess = weight * exponential_excess(near);
    excess = select(is_near, near_excess, other - weight - linear);
    excess = select(weight == none, other, excess);
    rise = select(is_near, linear + near_excess, other - weight);  // not excess: inf - inf would raise an exception
  }
};

/// The divergence, never negative, from the first two sums, divided by W. `change` is y. The divergence is infinite if
/// the linear sum is infinite.
template <operand V>
struct divergence_of_sums {
  V value, change;

  HONE_HD divergence_of_sums(V excess, V linear) {
    const V minimum(-1e30);
    change = select(linear < minimum, V(0), excess + max(linear, minimum));
    value = max(excess - V(0.5) * change * change, V(0));
  }
};

/// A smaller divergence is summed again; at this one, differences of logarithms keep five digits in float.
inline constexpr double close_rows = 1.0 / 32;

}  // namespace hone::inline HONE_ABI::detail

#include <hone/core/macros_pop.hpp>
