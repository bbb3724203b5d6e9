// SPDX-License-Identifier: MIT
/// Numbers of a policy that a formula reads for every element.
#pragma once

#include <hone/core/number.hpp>

#include <hone/core/macros_push.hpp>

namespace hone::inline HONE_ABI {

/// A number in double, and rounded to float, so that a GPU converts nothing per element.
class coefficient {
 public:
  HONE_HD constexpr coefficient(scalar auto x) noexcept
      : value_(static_cast<double>(x)), rounded_(static_cast<float>(value_)) {}

  /// Returns the number as an operand.
  template <class V>
  HONE_HD HONE_INLINE V as() const noexcept {
    if constexpr (sizeof(V) == sizeof(float))
      return V(rounded_);
    else
      return V(value_);
  }

 private:
  double value_;
  float rounded_;
};

/// An exponent γ >= 0, which knows whether a power takes a few products.
class exponent : public coefficient {
 public:
  /// Which of the exponents that the papers use, or another one.
  enum class kind : unsigned char { other, zero, one, two, four };

  HONE_HD constexpr exponent(arithmetic auto gamma) noexcept
      : coefficient(gamma),
        kind_(gamma == 2   ? kind::two
              : gamma == 1 ? kind::one
              : gamma == 0 ? kind::zero
              : gamma == 4 ? kind::four
                           : kind::other),
        positive_(gamma < 1e-30 ? 1e-30 : gamma) {}

  HONE_HD constexpr bool is(kind k) const noexcept { return kind_ == k; }
  /// Returns the exponent, but not 0: γ rounded to 0 in float times the logarithm of 0 would be NaN.
  HONE_HD constexpr coefficient positive() const noexcept { return positive_; }

 private:
  kind kind_;
  coefficient positive_;
};

}  // namespace hone::inline HONE_ABI

#include <hone/core/macros_pop.hpp>
