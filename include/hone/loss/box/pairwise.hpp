// SPDX-License-Identifier: MIT
/// What a matrix of overlaps may hold, and what its entry points ask of their arguments.
#pragma once

#include <hone/core/error.hpp>
#include <hone/core/view.hpp>
#include <hone/loss/box/ciou.hpp>
#include <hone/loss/box/diou.hpp>
#include <hone/loss/box/giou.hpp>
#include <hone/loss/box/iou.hpp>

namespace hone::detail {

/// A metric without its derivative.
template <box_metric_formula Metric>
struct overlap_of {
  template <operand V>
  HONE_HD V operator()(box_pair<V> const& b) const noexcept {
    return Metric{}(b).value;
  }
};

/// The part of the first box that the second covers; 0 for one without area.
struct overlap_over_first {
  template <operand V>
  HONE_HD V operator()(box_pair<V> const& b) const noexcept {
    return b.intersection / max(b.x.side * b.y.side, V(smallest_area));
  }
};

inline void require_boxes(const char* function, const char* name, std::intmax_t rows, std::intmax_t columns,
                          std::intmax_t row_stride, bool data) {
  if (rows < 0 || columns != 4) fail("%s: %s is %jd x %jd, boxes are rows of 4", function, name, rows, columns);
  if (row_stride < columns)
    fail("%s: %s has a row_stride of %jd, must be at least its %jd columns", function, name, row_stride, columns);
  if (!data && rows > 0) fail("%s: %s is %jd x %jd but has no data", function, name, rows, columns);
}

/// a and b are boxes, and out has a row for each of a and a column for each of b.
template <class T>
void require_pairwise(const char* function, matrix_view<const T> a, matrix_view<const T> b, matrix_view<T> out) {
  require_boxes(function, "a", a.rows, a.columns, a.row_stride, a.data != nullptr);
  require_boxes(function, "b", b.rows, b.columns, b.row_stride, b.data != nullptr);
  if (out.rows != a.rows || out.columns != b.rows)
    fail("%s: out is %jd x %jd, for %jd and %jd boxes", function, std::intmax_t(out.rows), std::intmax_t(out.columns),
         std::intmax_t(a.rows), std::intmax_t(b.rows));
  if (out.row_stride < out.columns)
    fail("%s: out has a row_stride of %jd, must be at least its %jd columns", function, std::intmax_t(out.row_stride),
         std::intmax_t(out.columns));
  if (!out.data && out.rows * out.columns > 0)
    fail("%s: out is %jd x %jd but has no data", function, std::intmax_t(out.rows), std::intmax_t(out.columns));
}

}  // namespace hone::detail
