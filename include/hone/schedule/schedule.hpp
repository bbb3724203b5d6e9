// SPDX-License-Identifier: MIT
/// The concept of a schedule, and the checks that schedules make.
#pragma once

#include <hone/core/error.hpp>
#include <hone/core/number.hpp>

#include <concepts>
#include <cstddef>
#include <cstdint>
#include <limits>
#include <type_traits>

#include <hone/core/macros_push.hpp>

namespace hone::inline HONE_ABI {

/// A rate as a pure function of the step: callable in any order and on any thread, without state. A resumed training
/// only asks for the rate of its current step. `rate` must be HONE_HD for use on a device.
template <class S>
concept schedule = std::is_trivially_copyable_v<S> && requires(const S& policy, integer step) {
  { policy.rate(step) } -> std::same_as<double>;
};

namespace detail {

inline constexpr std::int64_t last_step = std::numeric_limits<std::int64_t>::max();

HONE_HD inline void require_rate(const char* function, const char* parameter, double x) {
  require(finite(x), function, parameter, x, "finite");
}
HONE_HD inline void require_factor(const char* function, const char* parameter, double x) {
  require(x > 0 && finite(x), function, parameter, x, "finite and above 0");
}
HONE_HD inline void require_count(const char* function, const char* parameter, std::int64_t x) {
  require(x >= 1, function, parameter, x, "at least 1");
}
/// Fails with "function: parameter i is x, must be above before" unless x > before.
HONE_HD inline void require_ascending(const char* function, const char* parameter, std::size_t i, std::int64_t x,
                                      std::int64_t before) {
  fail_unless(x > before, "%s: %s %zu is %jd, must be above %jd", function, parameter, i, std::intmax_t(x),
              std::intmax_t(before));
}
HONE_HD inline void require_step(const char* function, std::int64_t step) {
  require(step >= 0, function, "step", step, "at least 0");
}

/// std::lerp for t in [0, 1], because devices have none: exact at both ends, never outside them, for any two numbers.
HONE_HD inline double lerp(double from, double to, double t) noexcept {
  if ((from <= 0 && to >= 0) || (from >= 0 && to <= 0)) return t * to + (1 - t) * from;  // to - from might overflow
  if (t == 1) return to;
  const double x = from + t * (to - from);
  return (to > from) == (x > to) ? to : x;
}
HONE_HD constexpr double larger(double a, double b) noexcept { return a < b ? b : a; }

}  // namespace detail

}  // namespace hone::inline HONE_ABI

#include <hone/core/macros_pop.hpp>
