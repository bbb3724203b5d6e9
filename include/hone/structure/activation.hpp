// SPDX-License-Identifier: MIT
/// Activation functions that a plane scale applies in its own sweep.
#pragma once

#include <hone/core/operand.hpp>

#include <cstdint>

#include <hone/core/macros_push.hpp>

namespace hone::inline HONE_ABI {

/// What a plane scale applies to its sum u = x s + residual.
enum class activation_function : std::uint8_t { none, relu, silu, hard_swish };
inline constexpr activation_function no_activation = activation_function::none;
inline constexpr activation_function relu = activation_function::relu;              ///< max(u, 0)
inline constexpr activation_function silu = activation_function::silu;              ///< u σ(u)
inline constexpr activation_function hard_swish = activation_function::hard_swish;  ///< u clamp(u/6 + 1/2, 0, 1)

/// σ(x) and 1 - σ(x), both to full relative accuracy. NaN stays NaN.
template <operand V>
struct sigmoid_pair {
  V p, complement;

  HONE_HD HONE_INLINE explicit sigmoid_pair(V x) {
    const V e = exp_of_minus(abs(x)), larger = V(1) / (V(1) + e), smaller = e * larger;  // e in [0, 1]
    p = select(x < V(0), smaller, larger);
    complement = select(x < V(0), larger, smaller);
  }
};

/// Returns x with infinities as ±3e38, so that 0 times it is 0. NaN stays NaN.
template <operand V>
HONE_HD HONE_INLINE V without_infinity(V x) {
  const V below = select(x < V(-3e38), V(-3e38), x);
  return select(V(3e38) < below, V(3e38), below);
}

struct identity_formula {
  template <operand V>
  HONE_HD HONE_INLINE value_grad<V> operator()(V u) const {
    return {u, V(1)};
  }
};

/// value max(u, 0), gradient 1 if u > 0, else 0: 0 at u = 0. Of NaN the value is NaN and the gradient 1.
struct relu_formula {
  template <operand V>
  HONE_HD HONE_INLINE value_grad<V> operator()(V u) const {
    return {select(u < V(0), V(0), u), select(u < V(0), V(0), select(u == V(0), V(0), V(1)))};
  }
};

/// value u σ(u), gradient σ(u) (1 + u (1 - σ(u))) (Elfwing et al. 2017, arXiv 1702.03118). Of -∞ both are 0.
struct silu_formula {
  template <operand V>
  HONE_HD HONE_INLINE value_grad<V> operator()(V u) const {
    const sigmoid_pair<V> s(u);
    const V from_below = select(u < V(-3e38), V(-3e38), u);
    return {from_below * s.p, s.p * (V(1) + without_infinity(u) * s.complement)};
  }
};

/// value u clamp(u/6 + 1/2, 0, 1), gradient 0 up to u = -3, u/3 + 1/2 between, 1 from u = 3 on (Howard et al. 2019,
/// arXiv 1905.02244; as PyTorch's). Of -∞ both are 0.
struct hard_swish_formula {
  template <operand V>
  HONE_HD HONE_INLINE value_grad<V> operator()(V u) const {
    const V inner = u * (u * V(1.0 / 6) + V(0.5)), slope = u * V(1.0 / 3) + V(0.5);
    const auto below = [&](V low, V x) { return select(V(-3) < u, x, select(u == exact(u), low, u)); };
    const auto above = [&](V x, V high) { return select(u < V(3), x, high); };
    return {below(V(0), above(inner, u)), below(V(0), above(slope, V(1)))};
  }
};

/// Returns g f'(u), the gradient by u for g by f(u). A derivative of 0 makes it 0, whatever g is.
template <class F, operand V>
HONE_HD HONE_INLINE V gradient_through(F const& f, V u, V g) {
  const V slope = f(u).grad;
  return zero_where(slope == V(0), g * slope);
}

namespace detail {

/// Calls body with the formula of an activation.
template <class Body>
void with_formula(activation_function f, Body const& body) {
  switch (f) {
    case activation_function::relu:
      return body(relu_formula());
    case activation_function::silu:
      return body(silu_formula());
    case activation_function::hard_swish:
      return body(hard_swish_formula());
    default:
      return body(identity_formula());
  }
}

}  // namespace detail
}  // namespace hone::inline HONE_ABI

#include <hone/core/macros_pop.hpp>
