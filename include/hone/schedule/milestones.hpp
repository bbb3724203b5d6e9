// SPDX-License-Identifier: MIT
/// A staircase with steps at given milestones.
#pragma once

#include <hone/schedule/schedule.hpp>

#include <cmath>
#include <cstddef>
#include <cstdint>
#include <span>  // and the concepts of ranges

#include <hone/core/macros_push.hpp>

namespace hone::inline HONE_ABI {

namespace detail {

/// Returns peak · factor^(number of the ascending milestones at[0 … n - 1] that are <= step).
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

/// Step decay at N given steps; without N, at the steps of a list.
///   rate(t) = peak · factor^(number of milestones <= t)
/// A milestone is the first step with the new rate. After the last one the rate is constant.
///
///     const hone::milestones<3> schedule{.peak = 0.1, .factor = 0.1, .at = {30, 60, 80}};
///     optimiser.rate = schedule.rate(epoch);
///
///     const std::vector<int> epochs = …;
///     const hone::milestones<> read{.peak = 0.1, .factor = 0.1, .at = epochs};
///
/// Throws hone::invalid_argument if peak is not finite, factor is not finite and above 0, a milestone is not
/// above the one before (the first: above 0) or step < 0.
/// Source: Goyal et al., Accurate, Large Minibatch SGD, 2017, arXiv 1706.02677, section 5.1 (30, 60, 80).
template <std::size_t N = std::dynamic_extent>
struct milestones {
  real peak = 0;       ///< the rate before the first milestone
  real factor = 0.1;   ///< multiplies the rate at every milestone, above 0
  integer at[N] = {};  ///< ascending; all required

  HONE_HD double rate(integer step) const { return detail::milestone_rate(peak, factor, at, N, step); }
};

/// Up to 64 milestones, copied from a list that the program may delete afterwards, so that a schedule remains a value,
/// on a device too. Throws hone::invalid_argument if the list is longer.
class milestone_list {
 public:
  static constexpr std::size_t capacity = 64;

  constexpr milestone_list() noexcept = default;
  template <std::ranges::input_range Steps>
    requires std::integral<std::ranges::range_value_t<Steps>>
  constexpr milestone_list(Steps const& steps) {
    for (const auto step : steps) {
      if (count_ == capacity) detail::fail("milestones: at has more than %zu milestones", capacity);
      steps_[count_++] = step;
    }
  }

  HONE_HD constexpr integer const* data() const noexcept { return steps_; }
  HONE_HD constexpr std::size_t size() const noexcept { return count_; }

 private:
  integer steps_[capacity] = {};
  std::size_t count_ = 0;
};

template <>
struct milestones<std::dynamic_extent> {
  real peak = 0;           ///< the rate before the first milestone
  real factor = 0.1;       ///< multiplies the rate at every milestone, above 0
  milestone_list at = {};  ///< ascending; if empty, the rate is constant

  HONE_HD double rate(integer step) const { return detail::milestone_rate(peak, factor, at.data(), at.size(), step); }
};
static_assert(schedule<milestones<1>> && schedule<milestones<>>);

}  // namespace hone::inline HONE_ABI

#include <hone/core/macros_pop.hpp>
