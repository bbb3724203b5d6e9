// SPDX-License-Identifier: MIT
/// How the decay grows with the number of updates, so that a young average forgets its start.
#pragma once

#include <hone/core/error.hpp>
#include <hone/core/number.hpp>

#include <cmath>
#include <type_traits>

#include <hone/core/macros_push.hpp>

namespace hone::inline HONE_ABI {

/// One of the ramps below, or none. n counts updates from 1.
class decay_ramp {
 public:
  constexpr decay_ramp() noexcept = default;

  /// Returns the decay of update n. `decay` is the largest value of the ramp.
  HONE_HD double at(double decay, index n) const noexcept {
    const double count = static_cast<double>(n);
    switch (which_) {
      case kind::exponential:
        return decay * -std::expm1(-count / first_);
      case kind::inverse_power:
        return smaller(decay, -std::expm1(-second_ * std::log1p(count / first_)));
      case kind::threshold:
        return smaller(decay, (1 + count) / (10 + count));
      case kind::linear:
        return count < first_ ? second_ + (decay - second_) * (count / first_) : decay;
      case kind::none:
      default:
        break;
    }
    return decay;
  }

 private:
  HONE_HD static double smaller(double a, double b) noexcept { return b < a ? b : a; }

  enum class kind : unsigned char { none, exponential, inverse_power, threshold, linear };

  constexpr decay_ramp(kind which, double first, double second) noexcept
      : which_(which), first_(first), second_(second) {}

  friend decay_ramp exponential_ramp(real tau);
  friend decay_ramp inverse_power_ramp(real gamma, real power);
  friend decay_ramp threshold_ramp() noexcept;
  friend decay_ramp linear_ramp(integer updates, real first);

  kind which_ = kind::none;
  double first_ = 0, second_ = 0;
};
static_assert(std::is_trivially_copyable_v<decay_ramp>);

namespace detail {

inline void require_ramp(const char* ramp, const char* parameter, double x) {
  require(x > 0 && finite(x), ramp, parameter, x, "finite and above 0");
}

}  // namespace detail

/// d (1 - e^(-n/τ)). Throws hone::invalid_argument unless τ is finite and above 0. YOLOv5 and YOLOv8 use 2000.
inline decay_ramp exponential_ramp(real tau) {
  detail::require_ramp("exponential_ramp", "tau", tau);
  return {decay_ramp::kind::exponential, tau, 0};
}

/// min(d, 1 - (1 + n/γ)^-p). Throws hone::invalid_argument unless γ and p are finite and above 0. timm uses 1 and 2/3,
/// suitable for a million updates and more; a p of 3/4 suits shorter trainings.
inline decay_ramp inverse_power_ramp(real gamma, real power) {
  detail::require_ramp("inverse_power_ramp", "gamma", gamma);
  detail::require_ramp("inverse_power_ramp", "power", power);
  return {decay_ramp::kind::inverse_power, gamma, power};
}

/// min(d, (1 + n) / (10 + n)), as in TensorFlow and PaddleDetection.
inline decay_ramp threshold_ramp() noexcept { return {decay_ramp::kind::threshold, 0, 0}; }

/// first + (d - first) n / updates for n < updates, then d. updates must be at least 1, first in [0, 1].
inline decay_ramp linear_ramp(integer updates, real first = 0) {
  detail::require(updates >= 1, "linear_ramp", "updates", updates.value, "at least 1");
  detail::require(first >= 0 && first <= 1, "linear_ramp", "first", first, "in [0, 1]");
  return {decay_ramp::kind::linear, static_cast<double>(updates), first};
}

}  // namespace hone::inline HONE_ABI

#include <hone/core/macros_pop.hpp>
