// SPDX-License-Identifier: MIT
/// The transformation of one number by a chain, and the range in which the number's type can compute it.
#pragma once

#include <hone/core/error.hpp>
#include <hone/core/operand.hpp>
#include <hone/gradient/step.hpp>

#include <limits>

#include <hone/core/macros_push.hpp>

namespace hone::inline HONE_ABI::detail {

/// Returns the largest finite number of T. Larger results are not written.
template <element T>
double largest_number() noexcept {
  if constexpr (sizeof(T) == 2)
    return finite(static_cast<double>(static_cast<float>(static_cast<T>(1e30f)))) ? 0x1.fep127
                                                                                  : 65504;  // bfloat16, half
  else
    return std::numeric_limits<T>::max();
}

/// The transformation of g to clamp(clamp(g · scale, ±before) · factor, ±after).
struct scaling {
  double scale, before, factor, after;

  HONE_HD scaling with(double another) const noexcept { return {scale, before, another, after}; }
  HONE_HD bool clamps() const noexcept { return before < infinity || after < infinity; }
  /// Returns whether any number changes, if `largest` is the largest |g · scale|.
  HONE_HD bool changes(double largest) const noexcept {
    return scale * factor != 1 || largest > before || largest * factor > after;
  }
  /// Returns whether the factors and all products stay in the range of A, if `largest` is the largest |g · scale|.
  template <class A>
  HONE_HD bool fits(double largest) const noexcept {
    if constexpr (sizeof(A) == 8) return true;
    const auto normal = [](double x) { return x == 0 || (x >= 0x1p-126 && x <= 0x1p127); };
    return clamps() ? normal(scale) && normal(factor) && largest <= 0x1p127 : normal(scale * factor);
  }
};

/// The same transformation in the arithmetic of V.
template <operand V>
struct scaled_in {
  V by, then, first, last;
  bool clamps;

  HONE_HD explicit scaled_in(scaling const& scale_rule)
      : by(static_cast<V>(scale_rule.clamps() ? scale_rule.scale : scale_rule.scale * scale_rule.factor)),
        then(static_cast<V>(scale_rule.factor)),
        first(static_cast<V>(scale_rule.before)),
        last(static_cast<V>(scale_rule.after)),
        clamps(scale_rule.clamps()) {}

  HONE_HD V operator()(V x) const { return of(x, by, then); }
  /// The same with other factors.
  HONE_HD V of(V x, V its_by, V its_then) const {
    x = x * its_by;
    return clamps ? max(min(max(min(x, first), -first) * its_then, last), -last) : x;
  }
};

}  // namespace hone::inline HONE_ABI::detail

#include <hone/core/macros_pop.hpp>
