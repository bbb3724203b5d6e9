// SPDX-License-Identifier: MIT
/// The lengths along each axis and the three areas that box metrics are computed from, and the step from a metric's
/// derivative by them to its derivative by the numbers of the predicted box.
#pragma once

#include <hone/loss/box/box.hpp>

#include <hone/core/macros_push.hpp>

namespace hone::inline HONE_ABI {

namespace detail {

/// Returns the area that exactly one of the two boxes covers, as a sum of products of lengths and of differences
/// between a length and the overlap: not negative, and exactly 0 for equal boxes even if the compiler fuses operations.
template <operand V>
HONE_HD HONE_INLINE V missed_area(box_axis<V> const& x, box_axis<V> const& y) noexcept {
  const V beside = (x.side + x.target) - V(2) * x.overlap;
  return x.side * (y.side - y.overlap) + x.target * (y.target - y.overlap) + beside * y.overlap;
}

}  // namespace detail

template <class V, class Format = corners_format>
struct box_pair {
  using format = Format;

  box_axis<V> x, y;
  V intersection;  ///< area that both boxes cover
  V missed;        ///< area that exactly one box covers, raised if needed to bring union_area to `min_area`
  V union_area;    ///< intersection + missed

  /// Takes both boxes as numbers_of of the format returns them.
  HONE_HD HONE_INLINE box_pair(box<V> const& p, box<V> const& t) noexcept
      : box_pair(Format::axis_of(p.x1, p.x2, t.x1, t.x2), Format::axis_of(p.y1, p.y2, t.y1, t.y2)) {}
  HONE_HD HONE_INLINE box_pair(box_axis<V> const& x_, box_axis<V> const& y_) noexcept : x(x_), y(y_) {
    measure(V(detail::smallest_area));
  }

  /// Computes the areas; union_area is at least `min_area`.
  HONE_HD HONE_INLINE void measure(V min_area) noexcept {
    intersection = x.overlap * y.overlap;
    missed = max(detail::missed_area(x, y), min_area - intersection);
    union_area = max(x.side * y.side + x.target * y.target - intersection, min_area);
  }
  /// Adds `by` to union_area, and adds to missed the increase of union_area after rounding.
  HONE_HD HONE_INLINE void widen(V by) noexcept {
    const V wider = exact(union_area + by);
    missed = missed + (wider - union_area), union_area = wider;
  }
};

/// A metric whose best value is 1, with the derivative of 1 - metric. It stores both value and lost, because computing
/// one from the other would lose digits.
template <class V>
struct box_metric {
  V value, lost;  ///< the metric, and 1 - metric
  box<V> grad;    ///< of lost, by the numbers of the predicted box

  /// Subtracts an amount from the metric.
  HONE_HD HONE_INLINE void less(V amount) noexcept { value = value - amount, lost = lost + amount; }
};

/// A metric: a formula of the lengths of two boxes.
template <class M>
concept box_metric_formula =
    requires(M const& m, box_pair<double> const& b, box_pair<double, centers_format> const& c) {
      { m(b) } -> std::same_as<box_metric<double>>;
      { m(c) } -> std::same_as<box_metric<double>>;
    };

namespace detail {

/// part / union and missing / union, for two areas that add up to the union: exactly 1 and 0 if nothing is missing.
template <class V>
struct fraction {
  V missing, part;

  HONE_HD HONE_INLINE fraction(V part_, V missing_, V inverse) noexcept
      : missing(exact(missing_ * inverse)), part(select(missing_ < part_, V(1) - missing, exact(part_ * inverse))) {}
};

template <operand V>
HONE_HD HONE_INLINE box<V> times(V factor, box<V> const& b) noexcept {
  return {factor * b.x1, factor * b.y1, factor * b.x2, factor * b.y2};
}
template <operand V>
HONE_HD HONE_INLINE box<V> plus(box<V> const& a, box<V> const& b) noexcept {
  return {a.x1 + b.x1, a.y1 + b.y1, a.x2 + b.x2, a.y2 + b.y2};
}

/// The derivative of a loss by the sides and the overlaps; a hull is included as described at by_lengths of box_format.
template <class V>
struct pair_slope {
  V x_side, x_overlap, y_side, y_overlap;

  /// Rounds the sums, so that no product in them is fused into what is computed from them.
  HONE_HD HONE_INLINE friend pair_slope operator+(pair_slope const& a, pair_slope const& b) noexcept {
    return {exact(a.x_side + b.x_side), exact(a.x_overlap + b.x_overlap), exact(a.y_side + b.y_side),
            exact(a.y_overlap + b.y_overlap)};
  }
};

/// Return the derivative by the predicted box's numbers, from that by the lengths.
template <class Format, operand V>
HONE_HD HONE_INLINE box<V> by_lengths(box_pair<V, Format> const& b, pair_slope<V> const& slope) noexcept {
  box<V> grad;
  Format::by_lengths(b.x, slope.x_side, slope.x_overlap, grad.x1, grad.x2);
  Format::by_lengths(b.y, slope.y_side, slope.y_overlap, grad.y1, grad.y2);
  return grad;
}
template <class Format, operand V>
HONE_HD HONE_INLINE box<V> by_offsets(box<V> grad, axis_slope<V> const& x, axis_slope<V> const& y) noexcept {
  Format::by_offset(x.offset, grad.x1, grad.x2);
  Format::by_offset(y.offset, grad.y1, grad.y2);
  return grad;
}
template <class Format, operand V>
HONE_HD HONE_INLINE box<V> by_slopes(box_pair<V, Format> const& b, axis_slope<V> const& x,
                                     axis_slope<V> const& y) noexcept {
  const pair_slope<V> lengths{x.side + x.hull, -x.hull, y.side + y.hull, -y.hull};
  return detail::by_offsets<Format>(detail::by_lengths(b, lengths), x, y);
}
template <class Format, operand V>
HONE_HD HONE_INLINE void add_slopes(box_pair<V, Format> const& b, axis_slope<V> const& x, axis_slope<V> const& y,
                                    box_metric<V>& m) noexcept {
  m.grad = detail::plus(m.grad, detail::by_slopes(b, x, y));
}

}  // namespace detail

/// The loss of a metric whose best value is 1:
///   value  1 - metric
template <box_metric_formula Metric>
struct one_minus {
  using metric_type = Metric;

  Metric metric;

  template <operand V, class Format>
  HONE_HD HONE_INLINE box_grad<V> operator()(box_pair<V, Format> const& b) const noexcept {
    const box_metric<V> m = metric(b);
    return {m.lost,
            {m.grad.x1, m.grad.y1, m.grad.x2, m.grad.y2}};  // g++ 12 would copy the struct m.grad itself through memory
  }
};

}  // namespace hone::inline HONE_ABI

#include <hone/core/macros_pop.hpp>
