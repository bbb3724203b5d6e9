// SPDX-License-Identifier: MIT
/// Matrices of overlaps: what they may hold, their verbs on any backend, and what these ask of their arguments.
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

/// A metric without its derivative.
template <box_metric_formula Metric>
struct overlap_of {
  template <operand V, class Format>
  HONE_HD HONE_INLINE V operator()(box_pair<V, Format> const& b) const noexcept {
    return Metric{}(b).value;
  }
};

/// In the fewest steps: with areas that are not fused, I = U for equal boxes and never above it.
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

/// The part of the first box that the second covers; 0 for one without area, 1 for one that lies in the second.
struct overlap_over_first {
  template <operand V, class Format>
  HONE_HD HONE_INLINE V operator()(box_pair<V, Format> const& b) const noexcept {
    const V outside = b.x.side * (b.y.side - b.y.overlap) + (b.x.side - b.x.overlap) * b.y.overlap;
    const V missing = max(outside, V(smallest_area) - b.intersection);
    return fraction<V>(b.intersection, missing, V(1) / (b.intersection + missing)).part;
  }
};

/// Boxes are rows of four, in memory that can exist.
template <class T>
void require_boxes(const char* function, const char* name, matrix_view<T> v) {
  if (v.rows < 0 || v.columns != 4)
    fail("%s: %s is %jd x %jd, boxes are rows of 4", function, name, std::intmax_t(v.rows), std::intmax_t(v.columns));
  require_memory(function, name, v);
}

/// The other arguments, where the boxes a are of T; and what they may not be.
template <class T>
using boxes_like = std::type_identity_t<matrix_view<const T>>;
template <class T>
using overlaps_of = std::type_identity_t<matrix_view<overlap_number<T>>>;
/// a and b are boxes, and out has a row for each of a and a column for each of b.
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

/// Calls what a backend supplies: fill_overlaps(backend, overlap, function, a, b, out, format), found beside the
/// backend (cpu/boxes/pairwise.hpp, cuda/boxes/pairwise.cuh), which writes overlap(box_pair) of every pair.
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

/// On any backend: out(i, j) becomes the IoU of box a(i) and box b(j), n x 4 and m x 4 in the format, out n x m of the
/// boxes' type, of float for integers; hone::cuda enqueues that, needs no workspace, and all are in device memory.
/// Throws hone::invalid_argument, and writes or enqueues nothing, where a shape does not fit. NaN in a box is NaN in
/// its row or column.
template <class Backend, class T, class Format = corners_format>
void pairwise_iou(Backend const& backend, matrix_view<T> a, detail::boxes_like<T> b, detail::overlaps_of<T> out,
                  Format format = {}) {
  detail::fill_pairwise(backend, detail::overlap_of<iou_metric>(), "pairwise_iou", matrix_view<const T>(a), b, out,
                        format);
}
/// The same of GIoU.
template <class Backend, class T, class Format = corners_format>
void pairwise_giou(Backend const& backend, matrix_view<T> a, detail::boxes_like<T> b, detail::overlaps_of<T> out,
                   Format format = {}) {
  detail::fill_pairwise(backend, detail::overlap_of<giou_metric>(), "pairwise_giou", matrix_view<const T>(a), b, out,
                        format);
}
/// The same of DIoU.
template <class Backend, class T, class Format = corners_format>
void pairwise_diou(Backend const& backend, matrix_view<T> a, detail::boxes_like<T> b, detail::overlaps_of<T> out,
                   Format format = {}) {
  detail::fill_pairwise(backend, detail::overlap_of<diou_metric>(), "pairwise_diou", matrix_view<const T>(a), b, out,
                        format);
}
/// The same of CIoU.
template <class Backend, class T, class Format = corners_format>
void pairwise_ciou(Backend const& backend, matrix_view<T> a, detail::boxes_like<T> b, detail::overlaps_of<T> out,
                   Format format = {}) {
  detail::fill_pairwise(backend, detail::overlap_of<ciou_metric>(), "pairwise_ciou", matrix_view<const T>(a), b, out,
                        format);
}
/// The same of intersection over the area of a(i): how a detection is matched with a crowd.
template <class Backend, class T, class Format = corners_format>
void pairwise_ioa(Backend const& backend, matrix_view<T> a, detail::boxes_like<T> b, detail::overlaps_of<T> out,
                  Format format = {}) {
  detail::fill_pairwise(backend, detail::overlap_over_first(), "pairwise_ioa", matrix_view<const T>(a), b, out, format);
}

}  // namespace hone::inline HONE_ABI

#include <hone/core/macros_pop.hpp>
