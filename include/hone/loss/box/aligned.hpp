// SPDX-License-Identifier: MIT
/// Metrics of aligned pairs of boxes, row by row: the functions for any backend, and the checks of their arguments.
#pragma once

#include <hone/loss/box/pairwise.hpp>
#include <hone/loss/box/term.hpp>

#include <type_traits>

#include <hone/core/macros_push.hpp>

namespace hone::inline HONE_ABI {

namespace detail {

/// Checks that a and b have the same number of boxes and that out has one row of one number per pair.
template <class T>
void require_aligned(const char* function, matrix_view<const T> a, matrix_view<const T> b, matrix_view<T> out) {
  require_boxes(function, "a", a);
  require_boxes(function, "b", b);
  if (a.rows != b.rows)
    fail("%s: %jd and %jd boxes, must be as many", function, std::intmax_t(a.rows), std::intmax_t(b.rows));
  if (out.rows != a.rows || out.columns != 1)
    fail("%s: out is %jd x %jd, must be %jd x 1", function, std::intmax_t(out.rows), std::intmax_t(out.columns),
         std::intmax_t(a.rows));
  require_memory(function, "out", out);
}

template <class Format>
constexpr void require_format() {
  static_assert(box_format<Format>, "aligned: the format must be hone::corners, hone::centers or hone::top_left");
}

}  // namespace detail

/// Writes the IoU of boxes a(i) and b(i) to out(i), on any backend. a and b are n x 4 in this format, out is n x 1,
/// such as a column of a matrix. hone::cuda enqueues the work, needs no workspace, and takes device memory only. The
/// IoU is at most 1, and 1 for equal boxes; NaN in a box gives NaN in its row. Throws hone::invalid_argument, and
/// writes or enqueues nothing, if a shape does not fit.
template <class Backend, class T, class Format = corners_format>
void aligned_iou(Backend const& backend, matrix_view<T> a, std::type_identity_t<matrix_view<const T>> b,
                 std::type_identity_t<matrix_view<std::remove_const_t<T>>> out, Format = {}) {
  detail::require_format<Format>();
  fill_aligned<Format>(backend, iou_metric(), "aligned_iou", matrix_view<const T>(a), b, out);
}
/// Like aligned_iou, with GIoU.
template <class Backend, class T, class Format = corners_format>
void aligned_giou(Backend const& backend, matrix_view<T> a, std::type_identity_t<matrix_view<const T>> b,
                  std::type_identity_t<matrix_view<std::remove_const_t<T>>> out, Format = {}) {
  detail::require_format<Format>();
  fill_aligned<Format>(backend, giou_metric(), "aligned_giou", matrix_view<const T>(a), b, out);
}
/// Like aligned_iou, with DIoU.
template <class Backend, class T, class Format = corners_format>
void aligned_diou(Backend const& backend, matrix_view<T> a, std::type_identity_t<matrix_view<const T>> b,
                  std::type_identity_t<matrix_view<std::remove_const_t<T>>> out, Format = {}) {
  detail::require_format<Format>();
  fill_aligned<Format>(backend, diou_metric(), "aligned_diou", matrix_view<const T>(a), b, out);
}
/// Like aligned_iou, with CIoU.
template <class Backend, class T, class Format = corners_format>
void aligned_ciou(Backend const& backend, matrix_view<T> a, std::type_identity_t<matrix_view<const T>> b,
                  std::type_identity_t<matrix_view<std::remove_const_t<T>>> out, Format = {}) {
  detail::require_format<Format>();
  fill_aligned<Format>(backend, ciou_metric(), "aligned_ciou", matrix_view<const T>(a), b, out);
}

}  // namespace hone::inline HONE_ABI

#include <hone/core/macros_pop.hpp>
