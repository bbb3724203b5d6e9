// SPDX-License-Identifier: MIT
/// A staircase whose steps the caller places.
#pragma once

#include <hone/schedule/schedule.hpp>

#include <cmath>
#include <cstddef>
#include <cstdint>
#include <span>  // and the concepts of ranges

#include <hone/core/macros_push.hpp>

namespace hone::inline HONE_ABI {

namespace detail {

/// peak · factor^(how many of the ascending milestones at[0 … n - 1] are <= step).
HONE_HD inline double milestone_rate(double peak, double factor, integer const* at, std::size_t n, integer step) {
  require_rate("milestones", "peak", peak);
  require_factor("milestones", "factor", factor);
  require_step("milestones", step);
  std::int64_t before = 0, passed = 0;
  for (std::size_t i = 0; i < n; ++i) {
    require_ascending("milestones", "milestone", i, at[i], before);
    before = at[i];
    passed += step >= before;
  }
  return peak * std::pow(factor, static_cast<double>(passed));
}

}  // namespace detail

/// Step decay at N given steps; at as many as a list holds where N is not given.
///   rate(t) = peak · factor^(how many milestones are <= t)
/// The milestone itself is the first step with the new rate. After the last one the rate stays.
///
///     const hone::milestones<3> schedule{.peak = 0.1, .factor = 0.1, .at = {30, 60, 80}};
///     optimiser.rate = schedule.rate(epoch);
///
///     const std::vector<int> epochs = …;
///     const hone::milestones<> read{.peak = 0.1, .factor = 0.1, .at = epochs};
///
/// Throws hone::invalid_argument where peak is not finite, factor is not finite and above 0, a milestone is not
/// above the one before (the first: above 0) or step < 0.
/// Source: Goyal et al., Accurate, Large Minibatch SGD, 2017, arXiv 1706.02677, section 5.1 (30, 60, 80).
template <std::size_t N = std::dynamic_extent>
struct milestones {
  real peak = 0;       ///< the rate before the first milestone
  real factor = 0.1;   ///< what every milestone multiplies by, above 0
  integer at[N] = {};  ///< ascending; all have to be given

  HONE_HD double rate(integer step) const { return detail::milestone_rate(peak, factor, at, N, step); }
};

/// Up to 64 steps, copied from a list of the program's, which may be gone afterwards: a schedule is a value, on a
/// device too. Throws hone::invalid_argument where the list is longer.
class milestone_list {
 public:
  static constexpr std::size_t most = 64;

  constexpr milestone_list() noexcept = default;
  template <std::ranges::input_range Steps>
    requires std::integral<std::ranges::range_value_t<Steps>>
  constexpr milestone_list(Steps const& steps) {
    for (const auto step : steps) {
      if (count_ == most) detail::fail("milestones: at has more than %zu milestones", most);
      steps_[count_++] = step;
    }
  }

  HONE_HD constexpr integer const* data() const noexcept { return steps_; }
  HONE_HD constexpr std::size_t size() const noexcept { return count_; }

 private:
  integer steps_[most] = {};
  std::size_t count_ = 0;
};

template <>
struct milestones<std::dynamic_extent> {
  real peak = 0;           ///< the rate before the first milestone
  real factor = 0.1;       ///< what every milestone multiplies by, above 0
  milestone_list at = {};  ///< ascending; of none, the rate stays

  HONE_HD double rate(integer step) const { return detail::milestone_rate(peak, factor, at.data(), at.size(), step); }
};
static_assert(schedule<milestones<1>> && schedule<milestones<>>);

}  // namespace hone::inline HONE_ABI

#include <hone/core/macros_pop.hpp>
