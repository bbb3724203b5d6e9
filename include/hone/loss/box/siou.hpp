// SPDX-License-Identifier: MIT
/// SCYLLA-IoU (Gevorgyan 2022, arXiv 2205.12740).
#pragma once

#include <hone/loss/box/iou.hpp>

#include <hone/core/macros_push.hpp>

namespace hone::inline HONE_ABI {

namespace detail {

/// (Δ + Ω) / 2 of SIoU. If Grows, Δ has exp(+ …), as in mmdet only.
template <bool Grows>
struct siou_costs {
  /// Subtracts the costs from a metric; stores their derivative by the offsets, hulls and sides in by_x and by_y.
  template <operand V>
  HONE_HD HONE_INLINE static void less(box_axis<V> const& along_x, box_axis<V> const& along_y, axis_slope<V>& by_x,
                                       axis_slope<V>& by_y, box_metric<V>& m) noexcept {
    const V half = V(0.5), dx = abs(along_x.offset), dy = abs(along_y.offset), xx = dx * dx, yy = dy * dy;
    const V inverse = reciprocal(max(xx + yy, V(smallest_area))), twice = inverse + inverse;
    const V gamma = V(2) - exact(twice * dx) * dy;  // 2 - Λ
    const share<V> x(along_x, gamma), y(along_y, gamma);
    const V by_gamma = half * (x.by_gamma + y.by_gamma);           // derivative of Δ/2
    const V turn = by_gamma * twice * exact((yy - xx) * inverse);  // dΔ/2 by dx is -turn dy, because dΛ = -d(2 - Λ)
    by_x.offset = sign(along_x.offset) * (-turn * dy) + x.by_offset;
    by_y.offset = sign(along_y.offset) * (turn * dx) + y.by_offset;
    by_x.hull = -x.minus_by_hull, by_y.hull = -y.minus_by_hull;
    m.less(half * ((V(1) - x.near) + (V(1) - y.near)) + half * (shape(along_x, by_x) + shape(along_y, by_y)));
  }

 private:
  template <operand V>
  HONE_HD HONE_INLINE static V sign(V x) noexcept {
    return select(V(0) < x, V(1), select(x < V(0), V(-1), V(0)));
  }

  /// Δ/2 along one axis: near = exp(-gamma (d/C)²), with gamma = 2 - Λ.
  template <operand V>
  struct share {
    V near, by_gamma, by_offset, minus_by_hull;

    HONE_HD HONE_INLINE share(box_axis<V> const& a, V gamma) noexcept {
      const V inverse = reciprocal(max(a.hull, V(smallest_length))), r = exact(a.offset * inverse), squared = r * r;
      if constexpr (Grows)
        near = exp(gamma * squared);
      else
        near = exp_of_nonpositive(-(gamma * squared));
      const V signed_near = Grows ? -near : near;
      by_gamma = signed_near * squared;
      by_offset = signed_near * gamma * r * inverse;
      minus_by_hull = by_offset * r;
    }
  };

  /// Returns Ω along one axis; stores half its derivative as the slope by the side.
  template <operand V>
  HONE_HD HONE_INLINE static V shape(box_axis<V> const& a, axis_slope<V>& slope) noexcept {
    const V larger = max(a.side, a.target), inverse = reciprocal(max(larger, V(smallest_length)));
    const V difference = a.side - a.target, near = exp_of_nonpositive(-(abs(difference) * inverse));
    const V u = V(1) - near, cube = u * u * u;
    const V by_side = select(a.target < a.side, exact(a.target * inverse) * inverse, -inverse);
    slope.side = V(2) * cube * near * by_side;
    return cube * u;
  }
};

}  // namespace detail

/// IoU - (Δ + Ω) / 2, with dx, dy the distances of the centres, ρ² = dx² + dy², and Cw, Ch the sides of the hull:
///   Λ = 2 |dx| |dy| / ρ²                                            the paper's sin(2 asin(min / ρ))
///   Δ = Σ 1 - exp(-(2 - Λ) (d/C)²)                                  over both axes
///   Ω = Σ (1 - exp(-|w - w*| / max(w, w*)))^4                       over both axes: θ = 4
/// The angle Λ carries gradient. mmdet's default has the other sign in the exponent of Δ: parity::mmdet_siou_loss.
struct siou_metric {
  template <operand V, class Format>
  HONE_HD HONE_INLINE box_metric<V> operator()(box_pair<V, Format> const& b) const noexcept {
    box_metric<V> m = iou_metric{}(b);
    axis_slope<V> x, y;
    detail::siou_costs<false>::less(b.x, b.y, x, y, m);
    detail::add_slopes(b, x, y, m);
    return m;
  }
};

/// Loss 1 - SIoU of each predicted box (n x 4) with the box in the same row of `boxes`.
template <class Boxes, class Format = corners_format>
auto siou_loss(Boxes boxes, Format format = {}) {
  return detail::box_loss(one_minus<siou_metric>{}, format, boxes);
}

static_assert(box_metric_formula<siou_metric> && box_formula<one_minus<siou_metric>>);

}  // namespace hone::inline HONE_ABI

#include <hone/core/macros_pop.hpp>
