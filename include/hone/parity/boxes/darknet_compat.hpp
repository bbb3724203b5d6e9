// SPDX-License-Identifier: MIT
/// Box losses with the gradients of darknet's dx_box_iou (box.c, in hank-ai's fork box.cpp), which differ from the
/// derivatives of the metrics. Use them to continue a training begun in darknet, or to compare; otherwise use hone's.
#pragma once

#include <hone/loss/box/giou.hpp>
#include <hone/loss/box/term.hpp>

#include <hone/core/macros_push.hpp>

namespace hone::inline HONE_ABI {
namespace detail {

/// A predicted box and its target along one axis, as in darknet: a side of 0 is replaced by 1 around the centre, and
/// the overlap is negative if there is a gap.
template <class V>
struct darknet_axis {
  V side, target, overlap, hull, offset;
  V starts, ends;   ///< 1 if overlap starts (ends) with the predicted box, 0 otherwise and on a tie
  V opens, closes;  ///< the same for hull

  HONE_HD darknet_axis(V low, V high, V target_low, V target_high) noexcept
      : side(select(low < high, high - low, V(1))),
        target(target_high - target_low),
        offset(V(0.5) * ((low - target_low) + (high - target_high))) {
    const V wider = select(low < high, V(0), V(0.5));
    low = low - wider, high = high + wider;
    overlap = min(high, target_high) - max(low, target_low);
    hull = max(high, target_high) - min(low, target_low);
    starts = less(target_low, low), ends = less(high, target_high);
    opens = less(low, target_low), closes = less(target_high, high);
  }

 private:
  HONE_HD static V less(V a, V b) noexcept { return select(a < b, V(1), V(0)); }
};

/// A derivative by (cx, cy, w, h) with the sign of gradient ascent, as darknet's functions return it.
template <class V>
struct darknet_slope {
  V cx, cy, w, h;

  friend HONE_HD darknet_slope operator+(darknet_slope const& a, darknet_slope const& b) noexcept {
    return {a.cx + b.cx, a.cy + b.cy, a.w + b.w, a.h + b.h};
  }
  /// Returns the descent gradient by the corners, which a format's chain turns into -(cx, cy, w, h).
  HONE_HD box<V> downhill() const noexcept {
    const V x = V(0.5) * cx, y = V(0.5) * cy;
    return {w - x, h - y, -(x + w), -(y + h)};
  }
};

/// Returns ρ²/c² from two axes of either type.
template <class Axis>
HONE_HD auto darknet_distance(Axis const& x, Axis const& y) noexcept {
  using V = decltype(x.side);
  return (x.offset * x.offset + y.offset * y.offset) / max(x.hull * x.hull + y.hull * y.hull, V(smallest_area));
}
/// Returns atan(w*/h*) - atan(w/h) as one angle, or 0 if a box is a point.
template <class Axis>
HONE_HD auto darknet_angle(Axis const& x, Axis const& y) noexcept {
  using V = decltype(x.side);
  return atan((x.target * y.side - y.target * x.side) / max(y.target * y.side + x.target * x.side, V(smallest_area)));
}

template <class V>
class darknet_pair {
 public:
  HONE_HD darknet_pair(box<V> const& p, box<V> const& t) noexcept
      : x_(p.x1, p.x2, t.x1, t.x2),
        y_(p.y1, p.y2, t.y1, t.y2),
        intersection_(x_.overlap * y_.overlap),
        union_area_((x_.side * y_.side + x_.target * y_.target) - intersection_) {}

  /// The slope of IoU. Two negative overlaps have a positive product, so that distant boxes are treated as overlapping.
  HONE_HD darknet_slope<V> overlap() const noexcept {
    const V inverse = inverse_of(union_area_), limit = V(1e8);  // larger than rounding in float can produce
    return ratio(of_intersection(), of_union(), max(min(intersection_ * inverse, limit), -limit), inverse);
  }
  /// The slope of GIoU's second term, U / C.
  HONE_HD darknet_slope<V> filled() const noexcept {
    const V inverse = inverse_of(x_.hull * y_.hull);
    const box<V> of_hull{-x_.opens * y_.hull, -y_.opens * x_.hull, x_.closes * y_.hull, y_.closes * x_.hull};
    return ratio(of_union(), of_hull, union_area_ * inverse, inverse);
  }
  /// The slope of DIoU's second term, -ρ²/c²; its part by the hull has the wrong sign for x and y.
  HONE_HD darknet_slope<V> nearness() const noexcept {
    const V inverse = inverse_of(x_.hull * x_.hull + y_.hull * y_.hull), twice = inverse + inverse;
    const V distance = darknet_distance(x_, y_);
    const V by_x = distance * twice * x_.hull, by_y = distance * twice * y_.hull, half = V(0.5);
    return {-twice * x_.offset - by_x * (x_.closes - x_.opens), -twice * y_.offset - by_y * (y_.closes - y_.opens),
            by_x * half * (x_.closes + x_.opens), by_y * half * (y_.closes + y_.opens)};
  }
  /// The slope of CIoU's third term, -α v, not divided by w² + h²; the IoU in α may be any number.
  HONE_HD darknet_slope<V> likeness() const noexcept {
    const V smallest = V(smallest_area), angle = darknet_angle(x_, y_);
    const V v = V(0.40528473456935109) * angle * angle;
    const V iou = intersection_ / select(abs(union_area_) < smallest, V(1), union_area_),
            denominator = V(1) - iou + v + V(1e-6);
    const V alpha =
        select(abs(union_area_) < smallest, V(0), v / select(abs(denominator) < smallest, V(1), denominator));
    const V by_angle = V(0.81056946913870217) * alpha * angle;
    return {V(0), V(0), by_angle * y_.side, -by_angle * x_.side};
  }
  /// Returns `s` if the boxes overlap, otherwise 0.
  HONE_HD darknet_slope<V> where_overlapping(darknet_slope<V> const& s) const noexcept {
    const V gap = min(x_.overlap, y_.overlap), none(0);
    return {select(none < gap, s.cx, none), select(none < gap, s.cy, none), select(none < gap, s.w, none),
            select(none < gap, s.h, none)};
  }
  /// Returns `s` with w and h set to 0 if the target is a point: darknet gets NaN there and replaces it by 0.
  HONE_HD darknet_slope<V> unless_point(darknet_slope<V> const& s) const noexcept {
    const V size = x_.target + y_.target, none(0);
    return {s.cx, s.cy, select(size == none, none, s.w), select(size == none, none, s.h)};
  }

 private:
  /// 1 / area, or 0 for an area by which darknet does not divide, or for which it replaces the result by 0.
  HONE_HD static V inverse_of(V area) noexcept {
    const V smallest = V(smallest_area);
    return select(area < smallest, V(0), V(1) / max(area, smallest));
  }
  HONE_HD box<V> of_intersection() const noexcept {
    return {-x_.starts * y_.overlap, -y_.starts * x_.overlap, x_.ends * y_.overlap, y_.ends * x_.overlap};
  }
  HONE_HD box<V> of_union() const noexcept {
    const box<V> i = of_intersection();
    return {-y_.side - i.x1, -x_.side - i.y1, y_.side - i.x2, x_.side - i.y2};
  }
  /// The slope of a quotient, from the derivatives of its parts by the corners. w and h are twice too large.
  HONE_HD static darknet_slope<V> ratio(box<V> const& above, box<V> const& below, V quotient, V inverse) noexcept {
    const V x1 = (above.x1 - quotient * below.x1) * inverse, x2 = (above.x2 - quotient * below.x2) * inverse;
    const V y1 = (above.y1 - quotient * below.y1) * inverse, y2 = (above.y2 - quotient * below.y2) * inverse;
    return {x1 + x2, y1 + y2, x2 - x1, y2 - y1};
  }

  darknet_axis<V> x_, y_;
  V intersection_, union_area_;
};

}  // namespace detail

namespace darknet_compat {

/// value  1 - IoU; the gradient is darknet's, not its derivative
struct iou_formula {
  template <operand V>
  HONE_HD box_grad<V> operator()(box<V> const& predicted, box<V> const& target) const noexcept {
    const box_pair<V> b(predicted, target);
    return {iou_metric{}(b).lost, detail::darknet_pair<V>(predicted, target).overlap().downhill()};
  }
};

/// value  1 - GIoU
struct giou_formula {
  template <operand V>
  HONE_HD box_grad<V> operator()(box<V> const& predicted, box<V> const& target) const noexcept {
    const detail::darknet_pair<V> d(predicted, target);
    const box_pair<V> b(predicted, target);
    return {giou_metric{}(b).lost, (d.where_overlapping(d.overlap()) + d.filled()).downhill()};
  }
};

/// value  1 - IoU + (ρ²/c²)^0.6; the gradient is that of ρ²/c²
struct diou_formula {
  template <operand V>
  HONE_HD box_grad<V> operator()(box<V> const& predicted, box<V> const& target) const noexcept {
    const detail::darknet_pair<V> d(predicted, target);
    const box_pair<V> b(predicted, target);
    const V distance = detail::darknet_distance(b.x, b.y), tiny = V(1e-30);
    const V power = select(distance < tiny, V(0), exp(V(0.6) * log(max(distance, tiny))));
    return {iou_metric{}(b).lost + power, (d.where_overlapping(d.overlap()) + d.nearness()).downhill()};
  }
};

/// value  1 - IoU + ρ²/c² + α v,   α = v / (1 - IoU + v + 10⁻⁶); v is 0 for a point, for which darknet gets NaN
struct ciou_formula {
  template <operand V>
  HONE_HD box_grad<V> operator()(box<V> const& predicted, box<V> const& target) const noexcept {
    const detail::darknet_pair<V> d(predicted, target);
    const box_pair<V> b(predicted, target);
    const V missed = iou_metric{}(b).lost, angle = detail::darknet_angle(b.x, b.y);
    const V v = select(V(0) < missed, V(0.40528473456935109) * angle * angle, missed);  // 0 for equal boxes; NaN stays
    return {missed + detail::darknet_distance(b.x, b.y) + v * v / (missed + v + V(1e-6)),
            d.unless_point(d.where_overlapping(d.overlap()) + d.nearness() + d.likeness()).downhill()};
  }
};

/// Like hone::iou_loss, with darknet's gradient.
template <class Boxes, class Format = corners_format>
auto iou_loss(Boxes boxes, Format format = {}) {
  return hone::detail::box_loss(iou_formula{}, format, boxes);
}
/// Like hone::giou_loss, with darknet's gradient.
template <class Boxes, class Format = corners_format>
auto giou_loss(Boxes boxes, Format format = {}) {
  return hone::detail::box_loss(giou_formula{}, format, boxes);
}
/// Like hone::diou_loss, with darknet's value and gradient.
template <class Boxes, class Format = corners_format>
auto diou_loss(Boxes boxes, Format format = {}) {
  return hone::detail::box_loss(diou_formula{}, format, boxes);
}
/// Like hone::ciou_loss, with darknet's value and gradient.
template <class Boxes, class Format = corners_format>
auto ciou_loss(Boxes boxes, Format format = {}) {
  return hone::detail::box_loss(ciou_formula{}, format, boxes);
}

}  // namespace darknet_compat
}  // namespace hone::inline HONE_ABI

#include <hone/core/macros_pop.hpp>
