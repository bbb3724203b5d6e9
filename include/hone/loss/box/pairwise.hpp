// SPDX-License-Identifier: MIT
/// Matrices of overlaps: what they may hold, their verbs on any backend, and what these ask of their arguments.
#pragma once

#include <hone/core/error.hpp>
#include <hone/core/view.hpp>
#include <hone/core/view_check.hpp>
#include <hone/loss/box/ciou.hpp>
#include <hone/loss/box/diou.hpp>
#include <hone/loss/box/giou.hpp>
#include <hone/loss/box/iou.hpp>

#include <type_traits>

namespace hone {

namespace detail {

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

/// Boxes are rows of four, in memory that can exist.
template <class T>
void require_boxes(const char* function, const char* name, matrix_view<T> v) {
  if (v.rows < 0 || v.columns != 4)
    fail("%s: %s is %jd x %jd, boxes are rows of 4", function, name, std::intmax_t(v.rows), std::intmax_t(v.columns));
  require_memory(function, name, v);
}

/// a and b are boxes, and out has a row for each of a and a column for each of b.
template <class T>
void require_pairwise(const char* function, matrix_view<const T> a, matrix_view<const T> b, matrix_view<T> out) {
  require_boxes(function, "a", a);
  require_boxes(function, "b", b);
  if (out.rows != a.rows || out.columns != b.rows)
    fail("%s: out is %jd x %jd, for %jd and %jd boxes", function, std::intmax_t(out.rows), std::intmax_t(out.columns),
         std::intmax_t(a.rows), std::intmax_t(b.rows));
  require_memory(function, "out", out);
}

}  // namespace detail

/// On any backend: out(i, j) becomes the IoU of box a(i) and box b(j), n x 4 and m x 4 corners, out n x m; hone::cuda
/// enqueues that, needs no workspace, and all are in device memory. Throws hone::invalid_argument, and writes or
/// enqueues nothing, where a shape does not fit. NaN in a box is NaN in its row or column.
template <class Backend, class T>
void pairwise_iou(Backend const& backend, matrix_view<T> a, std::type_identity_t<matrix_view<const T>> b,
                  std::type_identity_t<matrix_view<std::remove_const_t<T>>> out) {
  fill_overlaps(backend, detail::overlap_of<iou_metric>(), "pairwise_iou", matrix_view<const T>(a), b, out);
}
/// The same of GIoU.
template <class Backend, class T>
void pairwise_giou(Backend const& backend, matrix_view<T> a, std::type_identity_t<matrix_view<const T>> b,
                   std::type_identity_t<matrix_view<std::remove_const_t<T>>> out) {
  fill_overlaps(backend, detail::overlap_of<giou_metric>(), "pairwise_giou", matrix_view<const T>(a), b, out);
}
/// The same of DIoU.
template <class Backend, class T>
void pairwise_diou(Backend const& backend, matrix_view<T> a, std::type_identity_t<matrix_view<const T>> b,
                   std::type_identity_t<matrix_view<std::remove_const_t<T>>> out) {
  fill_overlaps(backend, detail::overlap_of<diou_metric>(), "pairwise_diou", matrix_view<const T>(a), b, out);
}
/// The same of CIoU.
template <class Backend, class T>
void pairwise_ciou(Backend const& backend, matrix_view<T> a, std::type_identity_t<matrix_view<const T>> b,
                   std::type_identity_t<matrix_view<std::remove_const_t<T>>> out) {
  fill_overlaps(backend, detail::overlap_of<ciou_metric>(), "pairwise_ciou", matrix_view<const T>(a), b, out);
}
/// The same of intersection over the area of a(i): how a detection is matched with a crowd.
template <class Backend, class T>
void pairwise_ioa(Backend const& backend, matrix_view<T> a, std::type_identity_t<matrix_view<const T>> b,
                  std::type_identity_t<matrix_view<std::remove_const_t<T>>> out) {
  fill_overlaps(backend, detail::overlap_over_first(), "pairwise_ioa", matrix_view<const T>(a), b, out);
}

}  // namespace hone
