// SPDX-License-Identifier: MIT
/// The metrics of pairs of boxes, row by row: their verbs on any backend, and what these ask of their arguments.
#pragma once

#include <hone/loss/box/pairwise.hpp>
#include <hone/loss/box/term.hpp>

#include <type_traits>

#include <hone/core/macros_push.hpp>

namespace hone::inline HONE_ABI {

namespace detail {

/// a and b are as many boxes, and out has a row of one number for each pair.
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

/// On any backend: out(i) becomes the IoU of boxes a(i) and b(i), n x 4 each in this format, out n x 1, such as a
/// column of a matrix; hone::cuda enqueues that, needs no workspace, and all are in device memory. At most 1, and 1 for
/// equal boxes. Throws hone::invalid_argument, and writes or enqueues nothing, where a shape does not fit. NaN in a box
/// is NaN in its row.
template <class Backend, class T, class Format = corners_format>
void aligned_iou(Backend const& backend, matrix_view<T> a, std::type_identity_t<matrix_view<const T>> b,
                 std::type_identity_t<matrix_view<std::remove_const_t<T>>> out, Format = {}) {
  detail::require_format<Format>();
  fill_aligned<Format>(backend, iou_metric(), "aligned_iou", matrix_view<const T>(a), b, out);
}
/// The same of GIoU.
template <class Backend, class T, class Format = corners_format>
void aligned_giou(Backend const& backend, matrix_view<T> a, std::type_identity_t<matrix_view<const T>> b,
                  std::type_identity_t<matrix_view<std::remove_const_t<T>>> out, Format = {}) {
  detail::require_format<Format>();
  fill_aligned<Format>(backend, giou_metric(), "aligned_giou", matrix_view<const T>(a), b, out);
}
/// The same of DIoU.
template <class Backend, class T, class Format = corners_format>
void aligned_diou(Backend const& backend, matrix_view<T> a, std::type_identity_t<matrix_view<const T>> b,
                  std::type_identity_t<matrix_view<std::remove_const_t<T>>> out, Format = {}) {
  detail::require_format<Format>();
  fill_aligned<Format>(backend, diou_metric(), "aligned_diou", matrix_view<const T>(a), b, out);
}
/// The same of CIoU.
template <class Backend, class T, class Format = corners_format>
void aligned_ciou(Backend const& backend, matrix_view<T> a, std::type_identity_t<matrix_view<const T>> b,
                  std::type_identity_t<matrix_view<std::remove_const_t<T>>> out, Format = {}) {
  detail::require_format<Format>();
  fill_aligned<Format>(backend, ciou_metric(), "aligned_ciou", matrix_view<const T>(a), b, out);
}

}  // namespace hone::inline HONE_ABI

#include <hone/core/macros_pop.hpp>
