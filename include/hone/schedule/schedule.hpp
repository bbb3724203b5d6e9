// SPDX-License-Identifier: MIT
/// What every schedule is, and the checks that they make.
#pragma once

#include <hone/core/error.hpp>
#include <hone/core/number.hpp>

#include <concepts>
#include <cstdint>
#include <type_traits>

namespace hone {

/// A rate as a pure function of the step: any order, any thread, nothing remembered. Asking for the rate of
/// the step at hand is all that a resumed training has to do.
template <class S>
concept schedule = std::is_trivially_copyable_v<S> && requires(const S& policy, integer step) {
  { policy.rate(step) } -> std::same_as<double>;
};

namespace detail {

inline void require_rate(const char* function, const char* parameter, double x) {
  require(finite(x), function, parameter, x, "finite");
}
inline void require_factor(const char* function, const char* parameter, double x) {
  require(x > 0 && finite(x), function, parameter, x, "finite and above 0");
}
inline void require_count(const char* function, const char* parameter, std::int64_t x) {
  require(x >= 1, function, parameter, x, "at least 1");
}
inline void require_step(const char* function, std::int64_t step) {
  require(step >= 0, function, "step", step, "at least 0");
}

}  // namespace detail

}  // namespace hone
