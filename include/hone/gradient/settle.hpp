// SPDX-License-Identifier: MIT
/// Computes the factors of all units from the norms of gradients, one step of a chain after the other.
#pragma once

#include <hone/gradient/adaptive_clip.hpp>
#include <hone/gradient/plan.hpp>
#include <hone/gradient/report.hpp>

#include <cmath>

#include <hone/core/macros_push.hpp>

namespace hone::inline HONE_ABI::detail {

/// Stands for Σ w² of a unit that adaptive_clip excludes.
inline constexpr double excluded_unit = -1;

/// Returns the factor of a unit whose gradients have norm `gradient` and whose weights have Σ w² = `squares`.
HONE_HD inline double unit_factor(norm_step const& step, double gradient, double squares) noexcept {
  return squares < 0 ? 1 : adaptive_factor(gradient, std::sqrt(squares), step.max, step.epsilon);
}

/// Computes the report of a call and the factors of all units. `scale` multiplies every number first. `Norms` holds the
/// sums and the factors of a backend. y is clamp(scale · g, ±before) times the current factor of its unit, and
/// `y_scale` is the factor that turns the stored sums into sums of y:
///   total(p)                          returns Σ g² for p = 2, Σ |g| for 1, and the largest |scale · g| for infinity
///   norm(p, y_scale)                  returns the p-norm of all y
///   multiply(by)                      multiplies all factors by a number
///   multiply_tensors(p, y_scale, f)   multiplies the factors of each tensor by f(p-norm of its y)
///   multiply_units(y_scale, f)        multiplies each unit's factor by f(2-norm of its y, Σ w² or excluded_unit)
HONE_NO_EXEC_CHECK template <class Norms>
HONE_HD gradient_report settle(gradient_plan const& plan, double scale, Norms& norms) {
  gradient_report report;
  report.norm = scale * std::sqrt(norms.total(2));
  report.finite = finite(report.norm * report.norm);
  report.factor = scale;
  if (!report.finite) return report;
  if (plan.reported_p == 1) report.norm = scale * norms.total(1);
  if (plan.reported_p == infinity) report.norm = norms.total(infinity);
  const bool squares_only = plan.squares_only(scale);
  const double y_scale = squares_only ? scale : 1;
  for (int k = 0; k < plan.count; ++k) {
    norm_step const& step = plan.steps[k];
    const auto clip = [&](double norm) { return clip_factor(norm, step.max); };
    if (step.kind == step_kind::global_norm) {
      const double by = clip(norms.norm(step.p, y_scale));
      report.coefficient *= by;
      norms.multiply(by);
    } else if (step.kind == step_kind::tensor_norm) {
      norms.multiply_tensors(step.p, y_scale, clip);
    } else {
      norms.multiply_units(y_scale, [&](double norm, double squares) { return unit_factor(step, norm, squares); });
    }
  }
  report.factor *= report.coefficient;
  if (!squares_only) {
    const double largest = norms.norm(infinity, y_scale);
    report.finite = (largest < plan.after ? largest : plan.after) <= plan.maximum;
  }
  return report;
}

}  // namespace hone::inline HONE_ABI::detail

#include <hone/core/macros_pop.hpp>
