// SPDX-License-Identifier: MIT
/// What the metrics of boxes are made of: a few lengths along each axis, and how a metric's derivative by them becomes
/// one by the corners of the predicted box.
#pragma once

#include <hone/loss/box/box.hpp>

namespace hone {

/// A predicted box beside its target, along one axis. Only offset may be negative.
template <class V>
struct box_axis {
  V side, target;   ///< lengths of the predicted box and of its target
  V overlap, hull;  ///< lengths of what both cover, and of the shortest interval that covers both
  V offset;         ///< of the predicted centre from the target's
  V starts, ends;   ///< 1 where overlap starts (ends) with the predicted box, 0 where with its target, 1/2 on a tie

  HONE_HD box_axis(V low, V high, V target_low, V target_high) noexcept
      : side(high - low),
        target(target_high - target_low),
        overlap(max(min(high, target_high) - max(low, target_low), V(0))),
        hull(max(high, target_high) - min(low, target_low)),
        offset(V(0.5) * ((low - target_low) + (high - target_high))),
        starts(share(target_low, low)),
        ends(share(high, target_high)) {}

 private:
  HONE_HD static V share(V a, V b) noexcept { return select(a < b, V(1), select(b < a, V(0), V(0.5))); }
};

/// The derivative of a metric by the lengths along one axis.
template <class V>
struct axis_slope {
  V side, overlap, hull = V(0), offset = V(0);
};

/// A metric of two boxes with its derivative.
template <class V>
struct box_metric {
  V value;
  axis_slope<V> x, y;
};

template <class V>
struct box_pair {
  box_axis<V> x, y;
  V intersection, whole;  ///< areas: of what both cover, of what one or the other covers

  HONE_HD box_pair(box<V> const& p, box<V> const& t) noexcept
      : x(p.x1, p.x2, t.x1, t.x2),
        y(p.y1, p.y2, t.y1, t.y2),
        intersection(x.overlap * y.overlap),
        whole(x.side * y.side + (x.target * y.target - intersection)) {}
};

/// A metric is a formula on the lengths of two boxes. What it does not use, it says, and nothing is computed for it.
template <class M>
concept box_metric_formula = requires(M const& m, box_pair<double> const& b) {
  { m(b) } -> std::same_as<box_metric<double>>;
  { M::uses_hull } -> std::convertible_to<bool>;
  { M::uses_offset } -> std::convertible_to<bool>;
};

namespace detail {

/// What the metric loses as either end of the predicted box moves up, along one axis.
template <class Metric, operand V>
HONE_HD void fall_by_ends(box_axis<V> const& a, axis_slope<V> const& slope, V& low, V& high) noexcept {
  const V overlap = select(V(0) < a.overlap, slope.overlap, V(0));
  if constexpr (Metric::uses_hull) {
    low = slope.side + (slope.hull + a.starts * (overlap - slope.hull));
    high = -slope.side - (slope.hull + a.ends * (overlap - slope.hull));
  } else {
    low = slope.side + a.starts * overlap;
    high = -slope.side - a.ends * overlap;
  }
  if constexpr (Metric::uses_offset) {
    const V half = V(0.5) * slope.offset;
    low = low - half, high = high - half;
  }
}

/// The derivative of 1 - metric, by the corners.
template <class Metric, operand V>
HONE_HD box<V> fall_by_corners(box_pair<V> const& b, box_metric<V> const& m) noexcept {
  box<V> grad;
  fall_by_ends<Metric>(b.x, m.x, grad.x1, grad.x2);
  fall_by_ends<Metric>(b.y, m.y, grad.y1, grad.y2);
  return grad;
}
/// times a factor.
template <operand V>
HONE_HD box<V> times(V factor, box<V> const& b) noexcept {
  return {factor * b.x1, factor * b.y1, factor * b.x2, factor * b.y2};
}

}  // namespace detail

/// The loss of a metric that is 1 at best:
///   value  1 - metric
template <box_metric_formula Metric>
struct one_minus {
  using metric_type = Metric;

  Metric metric;

  template <operand V>
  HONE_HD box_grad<V> operator()(box<V> const& predicted, box<V> const& target) const noexcept {
    const box_pair<V> b(predicted, target);
    const box_metric<V> m = metric(b);
    return {V(1) - m.value, detail::fall_by_corners<Metric>(b, m)};
  }
};

}  // namespace hone
