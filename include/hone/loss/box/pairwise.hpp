// SPDX-License-Identifier: MIT
/// Matrices of overlaps: their number types, the functions for any backend, and the checks of their arguments.
#pragma once

#include <hone/core/error.hpp>
#include <hone/core/overlap.hpp>
#include <hone/core/view.hpp>
#include <hone/core/view_check.hpp>
#include <hone/loss/box/box_number.hpp>
#include <hone/loss/box/ciou.hpp>
#include <hone/loss/box/diou.hpp>
#include <hone/loss/box/giou.hpp>
#include <hone/loss/box/iou.hpp>

#include <type_traits>

#include <hone/core/macros_push.hpp>

namespace hone::inline HONE_ABI {

namespace detail {

/// The value of a metric, without its derivative.
template <box_metric_formula Metric>
struct overlap_of {
  template <operand V, class Format>
  HONE_HD HONE_INLINE V operator()(box_pair<V, Format> const& b) const noexcept {
    return Metric{}(b).value;
  }
};

/// IoU in the fewest operations: areas are not fused, so that I = U for equal boxes, and never I > U.
template <>
struct overlap_of<iou_metric> {
  template <operand V, class Format>
  HONE_HD HONE_INLINE V operator()(box_pair<V, Format> const& b) const noexcept {
    if constexpr (rounds_exactly<V>) {
      const V both = rounded(b.intersection);
      return both / max((b.x.side * b.y.side + b.x.target * b.y.target) - both, V(smallest_area));
    } else {
      return iou_metric{}(b).value;
    }
  }
};

/// The fraction of the first box that the second covers: 0 if the first has no area, 1 if it lies inside the second.
struct overlap_over_first {
  template <operand V, class Format>
  HONE_HD HONE_INLINE V operator()(box_pair<V, Format> const& b) const noexcept {
    const V outside = b.x.side * (b.y.side - b.y.overlap) + (b.x.side - b.x.overlap) * b.y.overlap;
    const V missing = max(outside, V(smallest_area) - b.intersection);
    return fraction<V>(b.intersection, missing, V(1) / (b.intersection + missing)).part;
  }
};

/// Checks that v has rows of four numbers and valid memory.
template <class T>
void require_boxes(const char* function, const char* name, matrix_view<T> v) {
  if (v.rows < 0 || v.columns != 4)
    fail("%s: %s is %jd x %jd, boxes are rows of 4", function, name, std::intmax_t(v.rows), std::intmax_t(v.columns));
  require_memory(function, name, v);
}

/// The types of the arguments b and out for boxes a of type T; they take no part in template deduction.
template <class T>
using boxes_like = std::type_identity_t<matrix_view<const T>>;
template <class T>
using overlaps_of = std::type_identity_t<matrix_view<overlap_number<T>>>;
/// Checks that a and b are boxes, and that out has a row for each box of a, a column for each of b, and its own memory.
template <class T>
void require_pairwise(const char* function, matrix_view<const T> a, matrix_view<const T> b,
                      matrix_view<overlap_number<T>> out) {
  require_boxes(function, "a", a);
  require_boxes(function, "b", b);
  if (out.rows != a.rows || out.columns != b.rows)
    fail("%s: out is %jd x %jd, for %jd and %jd boxes", function, std::intmax_t(out.rows), std::intmax_t(out.columns),
         std::intmax_t(a.rows), std::intmax_t(b.rows));
  require_memory(function, "out", out);
  require_apart(function, "out", footprint_of(out), "a", footprint_of(a));
  require_apart(function, "out", footprint_of(out), "b", footprint_of(b));
}

/// Calls fill_overlaps(backend, overlap, function, a, b, out, format), which each backend declares
/// (cpu/boxes/pairwise.hpp, cuda/boxes/pairwise.cuh) and ADL finds; it writes overlap(box_pair) of every pair.
template <class Backend, class Overlap, class T, class Out, class Format>
void fill_pairwise(Backend const& backend, Overlap overlap, const char* function, matrix_view<const T> a,
                   matrix_view<const T> b, Out out, Format format) {
  static_assert(box_number<T>, "pairwise: boxes consist of floating-point numbers or integers");
  static_assert(box_format<Format>, "pairwise: the format must be hone::corners, hone::centers or hone::top_left");
  constexpr bool has_backend = requires { fill_overlaps(backend, overlap, function, a, b, out, format); };
  static_assert(has_backend || !box_number<T> || !box_format<Format>,
                "pairwise: the backend must be hone::cpu or hone::cuda: include hone/cpu.hpp or hone/cuda.cuh");
  if constexpr (has_backend) fill_overlaps(backend, overlap, function, a, b, out, format);
}

}  // namespace detail

/// Writes the IoU of box a(i) and box b(j) to out(i, j), on any backend. a is n x 4 and b m x 4 in the format; out is n
/// x m, of the boxes' type, or float for integers. hone::cuda enqueues the work, needs no workspace, and takes device
/// memory only. NaN in a box gives NaN in its row or column. Throws hone::invalid_argument, and writes or enqueues
/// nothing, if a shape does not fit or out overlaps a or b.
template <class Backend, class T, class Format = corners_format>
void pairwise_iou(Backend const& backend, matrix_view<T> a, detail::boxes_like<T> b, detail::overlaps_of<T> out,
                  Format format = {}) {
  detail::fill_pairwise(backend, detail::overlap_of<iou_metric>(), "pairwise_iou", matrix_view<const T>(a), b, out,
                        format);
}
/// Like pairwise_iou, with GIoU.
template <class Backend, class T, class Format = corners_format>
void pairwise_giou(Backend const& backend, matrix_view<T> a, detail::boxes_like<T> b, detail::overlaps_of<T> out,
                   Format format = {}) {
  detail::fill_pairwise(backend, detail::overlap_of<giou_metric>(), "pairwise_giou", matrix_view<const T>(a), b, out,
                        format);
}
/// Like pairwise_iou, with DIoU.
template <class Backend, class T, class Format = corners_format>
void pairwise_diou(Backend const& backend, matrix_view<T> a, detail::boxes_like<T> b, detail::overlaps_of<T> out,
                   Format format = {}) {
  detail::fill_pairwise(backend, detail::overlap_of<diou_metric>(), "pairwise_diou", matrix_view<const T>(a), b, out,
                        format);
}
/// Like pairwise_iou, with CIoU.
template <class Backend, class T, class Format = corners_format>
void pairwise_ciou(Backend const& backend, matrix_view<T> a, detail::boxes_like<T> b, detail::overlaps_of<T> out,
                   Format format = {}) {
  detail::fill_pairwise(backend, detail::overlap_of<ciou_metric>(), "pairwise_ciou", matrix_view<const T>(a), b, out,
                        format);
}
/// Like pairwise_iou, with the intersection over the area of a(i), which matches detections with crowd regions.
template <class Backend, class T, class Format = corners_format>
void pairwise_ioa(Backend const& backend, matrix_view<T> a, detail::boxes_like<T> b, detail::overlaps_of<T> out,
                  Format format = {}) {
  detail::fill_pairwise(backend, detail::overlap_over_first(), "pairwise_ioa", matrix_view<const T>(a), b, out, format);
}

}  // namespace hone::inline HONE_ABI

#include <hone/core/macros_pop.hpp>
