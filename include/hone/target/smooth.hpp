// SPDX-License-Identifier: MIT
/// Label smoothing. The field has several conventions; hone names two and defaults to the first.
#pragma once

#include <hone/core/error.hpp>
#include <hone/target/target.hpp>

namespace hone {

/// Chooses (1-ε) on the class and ε/(K-1) elsewhere (He et al. 2019, arXiv 1812.01187, equation 3).
struct leave_one_out_t {};
inline constexpr leave_one_out_t leave_one_out{};

template <row_target Target>
struct smooth_target {
  static constexpr int labels = Target::labels;
  static constexpr bool has_uniform = true;
  static constexpr int dense_parts = Target::dense_parts;

  Target target;
  double epsilon = 0;
  bool elsewhere_only = false;  ///< leave_one_out

  HONE_HD constexpr bool ignoring() const noexcept { return target.ignoring(); }
  HONE_HD bool ignores(index i) const noexcept { return target.ignores(i); }
  HONE_HD bool labels_fit(index i, index columns) const noexcept { return target.labels_fit(i, columns); }
  HONE_HD double label_weight(index i, numbers weights) const noexcept { return target.label_weight(i, weights); }

  /// (1-ε) q + ε/K. Leaving the class out is the same with another pair of numbers: (1-ε) q + (1-q) ε/(K-1).
  template <class Number, class Sink>
  HONE_HD void visit(index i, index columns, Number scale, Sink& sink) const {
    const index others = elsewhere_only && columns > 1 ? columns - 1 : columns;
    const Number each = static_cast<Number>(epsilon) / static_cast<Number>(others);  // a lone class gets it back
    const auto rest = static_cast<Number>(1 - epsilon);
    target.visit(i, columns, scale * (elsewhere_only ? rest - each : rest), sink);
    sink.uniform(scale * each);
  }
  HONE_HD constexpr auto dense_views() const { return target.dense_views(); }

  void check_shape(index rows, index columns) const { target.check_shape(rows, columns); }
  void check_values(index rows, index columns) const { target.check_values(rows, columns); }
};

namespace detail {

template <class Target>
auto smoothed(Target target, double epsilon, bool elsewhere_only) {
  static_assert(row_target<Target>,
                "smooth: the argument must be a target: wrap labels in hone::classes, a matrix in hone::probabilities");
  static_assert(!weighed_target<Target>, "smooth: weigh_classes must be the outermost target");
  require(epsilon >= 0 && epsilon < 1, "smooth", "epsilon", epsilon, "in [0, 1)");
  return smooth_target<Target>{target, epsilon, elsewhere_only};
}

}  // namespace detail

/// (1-ε)·target + ε/K, as PyTorch, timm and optax smooth (Szegedy et al. 2015, arXiv 1512.00567). ε in [0, 1).
template <class Target>
auto smooth(Target target, real epsilon) {
  return detail::smoothed(target, epsilon.value, false);
}

/// (1-ε) on the class and ε/(K-1) on each of the others. ε in [0, 1).
template <class Target>
auto smooth(Target target, real epsilon, leave_one_out_t) {
  return detail::smoothed(target, epsilon.value, true);
}

}  // namespace hone
