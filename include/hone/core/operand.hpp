// SPDX-License-Identifier: MIT
/// The type on which a formula computes. An operand V is a number (a GPU thread, a proof in double), a pack of
/// numbers (cpu/simd/pack.hpp) or a dual number (tests). Formulas call the functions below unqualified and
/// never branch on data: they use select() instead of if, and both of its arguments are computed.
#pragma once

#include <hone/core/config.hpp>

#include <cmath>
#include <concepts>
#include <cstddef>

#include <hone/core/macros_push.hpp>

namespace hone::inline HONE_ABI {

using std::abs;
using std::atan;
using std::exp;
using std::expm1;
using std::log;
using std::log1p;
using std::sqrt;

template <std::floating_point T>
HONE_HD constexpr T select(bool condition, T yes, T no) noexcept {
  return condition ? yes : no;
}
template <std::floating_point T>
HONE_HD constexpr T min(T a, T b) noexcept {
  return b < a ? b : a;
}
template <std::floating_point T>
HONE_HD constexpr T max(T a, T b) noexcept {
  return a < b ? b : a;
}

/// exp(x) for x <= 0, where an operand may flush small results to 0, and log(1 + x) for x in [0, 1].
template <std::floating_point T>
HONE_HD T exp_of_nonpositive(T x) noexcept {
  return exp(x);
}
template <std::floating_point T>
HONE_HD T log1p_of_unit(T x) noexcept {
  return log1p(x);
}

/// Returns x, hidden from an optimiser that may reassociate (docs/numerics.md, -ffast-math). Used for a difference that
/// must be 0 for equal numbers, and for a quotient that must not become a product.
template <class V>
HONE_HD V exact(V x) noexcept {
  if constexpr (std::floating_point<V>) HONE_ON_HOST(HONE_HIDE(x));
  return x;
}

/// True if an operand has rounded(x), a product that no compiler fuses into a sum, and divides as IEEE 754 specifies.
template <class V>
inline constexpr bool rounds_exactly = false;

template <class V>
concept operand = std::constructible_from<V, int> && std::constructible_from<V, double> && requires(V a, V b) {
  { a + b } -> std::convertible_to<V>;
  { a - b } -> std::convertible_to<V>;
  { a* b } -> std::convertible_to<V>;
  { a / b } -> std::convertible_to<V>;
  { -a } -> std::convertible_to<V>;
  select(a < b, a, b);
  exp(a), expm1(a), log(a), log1p(a), sqrt(a), atan(a), abs(a), min(a, b), max(a, b);
};

/// Returns 0 where the condition is true, and x elsewhere. On packs it takes fewer instructions than
/// select(condition, V(0), x).
template <class V, class Condition>
HONE_HD constexpr V zero_where(Condition const& condition, V x) noexcept {
  return select(condition, V(0), x);
}

/// 1 / x and a / x for x in [2^-126, 2^126], where a GPU needs no more than one and two instructions.
template <class V>
HONE_HD HONE_INLINE V reciprocal(V x) noexcept {
  return V(1) / x;
}
template <class V>
HONE_HD HONE_INLINE V quotient(V a, V x) noexcept {
  return a / x;
}

/// min and max of numbers; either argument if one of them is NaN. On a GPU they take one instruction.
template <class V>
HONE_HD HONE_INLINE V lesser_number(V a, V b) noexcept {
  return min(a, b);
}
template <class V>
HONE_HD HONE_INLINE V larger_number(V a, V b) noexcept {
  return max(a, b);
}

/// exp(-a) for a >= 0 to full relative accuracy, but for results that an operand may flush to 0.
template <operand V>
HONE_HD V exp_of_minus(V a) noexcept {
  return exp_of_nonpositive(-a);
}

/// Returns 1 if a < b, 0 if b < a, 1/2 on a tie: the derivative of min(a, b) by a.
template <operand V>
HONE_HD HONE_INLINE V share_of(V a, V b) noexcept {
  return select(a < b, V(1), select(b < a, V(0), V(0.5)));
}

/// Returns the angle in (-π/2, π/2) whose tangent is y / x, for finite x > 0. A pack divides once for it.
template <operand V>
HONE_HD V angle_of(V y, V x) noexcept {
  return atan(y / x);
}

/// A value with its derivative with respect to the prediction.
template <class V>
struct value_grad {
  V value;
  V grad;
};

/// N operands: sums of a sweep, or numbers stored by one sweep and read by the next.
template <class V, int N>
struct bundle {
  V at[std::size_t(N > 0 ? N : 1)];

  HONE_HD constexpr V& operator[](int i) noexcept { return at[i]; }
  HONE_HD constexpr V const& operator[](int i) const noexcept { return at[i]; }
};

static_assert(operand<float> && operand<double>);

}  // namespace hone::inline HONE_ABI

#include <hone/core/macros_pop.hpp>
