// SPDX-License-Identifier: MIT
/// Label smoothing. There are several conventions; hone names three and uses the first by default.
#pragma once

#include <hone/core/error.hpp>
#include <hone/target/target.hpp>

#include <hone/core/macros_push.hpp>

namespace hone::inline HONE_ABI {

/// Selects 1-ε on the class and ε/(K-1) elsewhere (He et al. 2019, arXiv 1812.01187, equation 3).
struct leave_one_out_t {};
inline constexpr leave_one_out_t leave_one_out{};

/// Selects ε/K' on the K' classes of the row whose logit is above -inf, and 0 on the masked ones.
struct allowed_classes_t {};
inline constexpr allowed_classes_t allowed_classes{};

template <row_target Target, bool OverAllowed = false>
struct smooth_target {
  static constexpr int labels = Target::labels;
  static constexpr bool has_uniform = true, over_allowed = OverAllowed;
  static constexpr int dense_parts = Target::dense_parts;

  Target target;
  double epsilon = 0;
  bool elsewhere_only = false;  ///< true for leave_one_out

  HONE_HD constexpr bool ignoring() const noexcept { return target.ignoring(); }
  HONE_HD bool ignores(index i) const noexcept { return target.ignores(i); }
  HONE_HD bool labels_fit(index i, index columns) const noexcept { return target.labels_fit(i, columns); }
  HONE_HD double label_weight(index i, numbers weights) const noexcept { return target.label_weight(i, weights); }

  HONE_HD bool weighs_rows_alike() const noexcept { return detail::weighs_rows_alike(target); }

  /// Sends (1-ε) q + ε/K; with leave_one_out, (1-ε) q + (1-q) ε/(K-1), which is the same sum with other numbers.
  template <class Number, class Sink>
  HONE_HD void visit(index i, index columns, Number scale, Sink& sink) const {
    if constexpr (over_allowed) {
      target.visit(i, columns, scale * static_cast<Number>(1 - epsilon), sink);
      return sink.uniform(scale * static_cast<Number>(epsilon));
    }
    const index others = elsewhere_only && columns > 1 ? columns - 1 : columns;
    const Number each = static_cast<Number>(epsilon) / static_cast<Number>(others);  // K = 1: no division by 0
    const auto complement = static_cast<Number>(1 - epsilon);
    target.visit(i, columns, scale * (elsewhere_only ? complement - each : complement), sink);
    sink.uniform(scale * each);
  }
  HONE_HD constexpr auto dense_views() const { return target.dense_views(); }
  smooth_target of_rows(index first, index count) const noexcept
    requires rowwise_target<Target>
  {
    return {target.of_rows(first, count), epsilon, elsewhere_only};
  }

  template <class See>
  void each_input(See const& see) const {
    detail::each_input(target, see);
  }
  void check_shape(index rows, index columns) const { target.check_shape(rows, columns); }
  void check_values(index rows, index columns) const { target.check_values(rows, columns); }
  void check_numbers(index rows) const
    requires free_target<Target>
  {
    target.check_numbers(rows);
  }
};

namespace detail {

template <bool OverAllowed = false, class Target>
auto smoothed(Target target, double epsilon, bool elsewhere_only) {
  static_assert(row_target<Target>,
                "smooth: the argument must be a target: wrap labels in hone::classes, a matrix in hone::probabilities");
  static_assert(!weighed_target<Target>, "smooth: weigh_classes must be the outermost target");
  if constexpr (row_target<Target>)
    static_assert(uniform_alike<Target, smooth_target<Target, OverAllowed>>,
                  "smooth: all parts must be smoothed over hone::allowed_classes, or none");
  if constexpr (OverAllowed)
    require(epsilon >= 0 && epsilon <= 1, "smooth", "epsilon", epsilon, "in [0, 1]");
  else
    require(epsilon >= 0 && epsilon < 1, "smooth", "epsilon", epsilon, "in [0, 1)");
  return smooth_target<Target, OverAllowed>{target, epsilon, elsewhere_only};
}

}  // namespace detail

/// (1-ε)·target + ε/K, as in PyTorch, timm and optax (Szegedy et al. 2015, arXiv 1512.00567). Throws if ε < 0 or >= 1.
template <class Target>
auto smooth(Target target, real epsilon) {
  return detail::smoothed(target, epsilon.value, false);
}

/// 1-ε on the class and ε/(K-1) on each of the others. Throws hone::invalid_argument if ε is not in [0, 1).
template <class Target>
auto smooth(Target target, real epsilon, leave_one_out_t) {
  return detail::smoothed(target, epsilon.value, true);
}

/// (1-ε)·target + ε/K' on the K' classes whose logit is above -inf, and (1-ε)·target on masked ones, so that a row's
/// loss depends on its allowed classes only. For losses of rows. Throws if ε is not in [0, 1].
template <class Target>
auto smooth(Target target, real epsilon, allowed_classes_t) {
  return detail::smoothed<true>(target, epsilon.value, false);
}

}  // namespace hone::inline HONE_ABI

#include <hone/core/macros_pop.hpp>
