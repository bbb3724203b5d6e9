// SPDX-License-Identifier: MIT
/// A chain as plain numbers, for backends: the sums to compute and the values to write.
#pragma once

#include <hone/gradient/chain.hpp>
#include <hone/gradient/power_sums.hpp>
#include <hone/gradient/scaling.hpp>

#include <hone/core/macros_push.hpp>

namespace hone::inline HONE_ABI::detail {

inline constexpr int max_norm_steps = 8;

/// A clip by the p-norm of each tensor, of all tensors, or of units. For units `max` is the λ of adaptive_clip.
struct norm_step {
  step_kind kind;
  double max, p, epsilon;
};

struct gradient_plan {
  norm_step steps[max_norm_steps] = {};
  int count = 0;
  bool takes_squares_only = false;  ///< sums of squares suffice if numbers do not grow
  double scale = 1;                 ///< multiplies every number first
  double before = infinity;         ///< the limit of clip_by_value before all norm clips
  double after = infinity;          ///< the limit of clip_by_value after a norm clip
  double reported_p = 2;
  double maximum = infinity;  ///< the largest number that can be written

  /// Returns whether a sweep sums up squares only. If numbers can grow, the sweep also finds the largest, because the
  /// result might not fit the type.
  HONE_HD bool squares_only(double its_scale) const noexcept { return takes_squares_only && its_scale <= 1; }
  HONE_HD norm_request sums(double its_scale) const noexcept {
    const bool squares = squares_only(its_scale);
    return {squares, squares ? 1 : its_scale, before};
  }
  /// Returns the transformation of the numbers of a unit with factor 1.
  HONE_HD scaling scale_rule(double its_scale) const noexcept { return {its_scale, before, 1, after}; }
};

template <class... Step>
gradient_plan plan_of(gradient_chain<Step...> const& chain, double maximum) {
  static_assert(((Step::kind != step_kind::unscale && Step::kind != step_kind::value) + ... + 0) <= max_norm_steps,
                "transform: a chain has at most 8 steps that clip by norms");
  gradient_plan plan;
  plan.scale = chain.unscaling(), plan.before = chain.limit(false), plan.after = chain.limit(true);
  plan.takes_squares_only = chain.takes_squares_only();
  plan.reported_p = chain.reported_p(), plan.maximum = maximum;
  chain.each([&]<class S>(S const& s) {
    if constexpr (S::kind == step_kind::unit_norm)
      plan.steps[plan.count++] = {S::kind, s.clipping, 2, s.epsilon};
    else if constexpr (S::kind != step_kind::unscale && S::kind != step_kind::value)
      plan.steps[plan.count++] = {S::kind, s.max, s.p, 0};
  });
  return plan;
}

}  // namespace hone::inline HONE_ABI::detail

#include <hone/core/macros_pop.hpp>
