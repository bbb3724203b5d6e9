// SPDX-License-Identifier: MIT
/// One weight per class, to give rare classes a larger part in the loss.
#pragma once

#include <hone/core/numbers.hpp>
#include <hone/target/target.hpp>

#include <hone/core/macros_push.hpp>

namespace hone::inline HONE_ABI {

template <row_target Target>
struct weigh_classes_target {
  static constexpr int labels = Target::labels;
  static constexpr bool has_uniform = Target::has_uniform, over_allowed = allowed_target<Target>;
  static constexpr int dense_parts = Target::dense_parts;
  static constexpr bool weighed = true;

  Target target;
  numbers weights;

  HONE_HD constexpr bool ignoring() const noexcept { return target.ignoring(); }
  HONE_HD bool ignores(index i) const noexcept { return target.ignores(i); }

  HONE_HD bool labels_fit(index i, index columns) const noexcept { return target.labels_fit(i, columns); }
  HONE_HD double label_weight(index i, numbers w) const noexcept { return target.label_weight(i, w); }

  /// Sends the unweighted parts: the reader multiplies q of class c by weights[c].
  template <class Number, class Sink>
  HONE_HD void visit(index i, index columns, Number scale, Sink& sink) const {
    target.visit(i, columns, scale, sink);
  }
  HONE_HD constexpr auto dense_views() const { return target.dense_views(); }
  weigh_classes_target of_rows(index first, index count) const noexcept
    requires rowwise_target<Target>
  {
    return {target.of_rows(first, count), weights};
  }

  template <class See>
  void each_input(See const& see) const {
    detail::each_input(target, see);
    see("weigh_classes weights", detail::footprint_of(weights));
  }
  void check_shape(index rows, index columns) const {
    target.check_shape(rows, columns);
    detail::require_size(weights, columns, "weigh_classes weight", "class");
  }
  void check_values(index rows, index columns) const {
    target.check_values(rows, columns);
    detail::require_values(weights, "weigh_classes weight", "class", detail::finite, "finite");
  }
};

/// Multiplies the target of class c by weights[c], one finite number per class, viewed. Must be the outermost target.
/// mean then divides by the sum of the labels' weights, or by the rows if the target contains probabilities.
template <class Target, class Weights = numbers>
auto weigh_classes(Target target, Weights&& weights) {
  static_assert(row_target<Target>,
                "weigh_classes: the first argument must be a target, such as hone::classes(labels)");
  static_assert(!weighed_target<Target>, "weigh_classes: the classes are weighed already");
  static_assert(detail::makes_numbers<Weights>,
                "weigh_classes: the weights must be a std::vector, std::span or Eigen vector of float or double");
  if constexpr (!row_target<Target> || !detail::makes_numbers<Weights>) {
    return target;  // avoids further compiler errors
  } else {
    return weigh_classes_target<Target>{target, numbers(static_cast<Weights&&>(weights))};
  }
}

}  // namespace hone::inline HONE_ABI

#include <hone/core/macros_pop.hpp>
