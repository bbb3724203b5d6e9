// SPDX-License-Identifier: MIT
/// Dense targets: a probability per row and class.
#pragma once

#include <hone/core/view.hpp>
#include <hone/core/view_check.hpp>
#include <hone/target/target.hpp>

#include <hone/core/macros_push.hpp>

namespace hone::inline HONE_ABI {

template <class View>
struct probabilities_target {
  static constexpr int labels = 0;
  static constexpr bool has_uniform = false;
  static constexpr int dense_parts = 1;

  View view;

  HONE_HD constexpr bool ignoring() const noexcept { return false; }
  HONE_HD constexpr bool ignores(index) const noexcept { return false; }
  HONE_HD constexpr bool labels_fit(index, index) const noexcept { return true; }
  HONE_HD constexpr double label_weight(index, numbers) const noexcept { return 1; }

  template <class Number, class Sink>
  HONE_HD void visit(index, index, Number scale, Sink& sink) const {
    sink.dense(view, scale);
  }
  HONE_HD constexpr auto dense_views() const { return detail::list(view); }
  constexpr probabilities_target of_rows(index first, index count) const noexcept
    requires requires { View::row_stride; }
  {
    return {detail::part_of_rows(view, first, count)};
  }

  template <class See>
  void each_input(See const& see) const {
    see("probabilities", detail::footprint_of(view));
  }
  void check_shape(index rows, index columns) const { detail::require_shape(view, "probabilities", rows, columns); }
  void check_values(index, index) const noexcept {}
  void check_numbers(index) const noexcept {}
};

/// Row i of the view (rows × classes) is the distribution of row i; it need not sum to 1. mean divides by the number of
/// rows. For a prediction that is an image_view, pass an image_view.
template <class T>
constexpr probabilities_target<matrix_view<const T>> probabilities(matrix_view<T> view) {
  return {view};
}
template <class T>
constexpr probabilities_target<image_view<const T>> probabilities(image_view<T> view) {
  return {view};
}

static_assert(row_target<probabilities_target<matrix_view<const float>>>);

}  // namespace hone::inline HONE_ABI

#include <hone/core/macros_pop.hpp>
