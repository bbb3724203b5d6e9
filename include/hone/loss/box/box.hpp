// SPDX-License-Identifier: MIT
/// Boxes, and the ways in which four numbers say one. Formulas know corners alone.
#pragma once

#include <hone/core/operand.hpp>

namespace hone {

/// The corners of a box: x1 <= x2, y1 <= y2 to formulas. As a gradient: the derivative by each of them.
template <class V>
struct box {
  V x1, y1, x2, y2;
};

/// A value with its derivative by the corners of the predicted box.
template <class V>
struct box_grad {
  V value;
  box<V> grad;
};

namespace detail {

/// Coordinates further out count as this far out, so that no product of two lengths overflows a float.
inline constexpr double farthest = 1073741824;  // 2^30
/// Areas and squares below this count as this: what divides by them stays finite.
inline constexpr double smallest_area = 1e-20, smallest_length = 1e-10;

template <operand V>
HONE_HD V within_reach(V x) noexcept {
  return max(min(x, V(farthest)), V(-farthest));  // NaN stays: the first argument is taken
}

}  // namespace detail

/// (x1, y1, x2, y2). A box that ends before it begins has no width, at its first corner.
struct corners_format {
  template <operand V>
  HONE_HD static box<V> corners_of(V const (&b)[4]) noexcept {
    const V x1 = detail::within_reach(b[0]), y1 = detail::within_reach(b[1]);
    return {x1, y1, max(detail::within_reach(b[2]), x1), max(detail::within_reach(b[3]), y1)};
  }
  /// The derivative by the four numbers b, from that by the corners.
  template <operand V>
  HONE_HD static void chain(V const (&b)[4], box<V> const& by_corners, V (&to)[4]) noexcept {
    along(b[2] < b[0], by_corners.x1, by_corners.x2, to[0], to[2]);
    along(b[3] < b[1], by_corners.y1, by_corners.y2, to[1], to[3]);
  }

 private:
  template <class Mask, operand V>
  HONE_HD static void along(Mask inverted, V first, V second, V& by_first, V& by_second) noexcept {
    by_first = select(inverted, first + second, first);
    by_second = select(inverted, V(0), second);
  }
};

/// (cx, cy, w, h). A negative side counts as 0.
struct centers_format {
  template <operand V>
  HONE_HD static box<V> corners_of(V const (&b)[4]) noexcept {
    const V cx = detail::within_reach(b[0]), cy = detail::within_reach(b[1]);
    const V w = V(0.5) * max(detail::within_reach(b[2]), V(0)), h = V(0.5) * max(detail::within_reach(b[3]), V(0));
    return {cx - w, cy - h, cx + w, cy + h};
  }
  template <operand V>
  HONE_HD static void chain(V const (&b)[4], box<V> const& by_corners, V (&to)[4]) noexcept {
    to[0] = by_corners.x1 + by_corners.x2, to[1] = by_corners.y1 + by_corners.y2;
    to[2] = select(b[2] < V(0), V(0), V(0.5) * (by_corners.x2 - by_corners.x1));
    to[3] = select(b[3] < V(0), V(0), V(0.5) * (by_corners.y2 - by_corners.y1));
  }
};

/// (x1, y1, w, h), as COCO has it. A negative side counts as 0.
struct top_left_format {
  template <operand V>
  HONE_HD static box<V> corners_of(V const (&b)[4]) noexcept {
    const V x1 = detail::within_reach(b[0]), y1 = detail::within_reach(b[1]);
    return {x1, y1, x1 + max(detail::within_reach(b[2]), V(0)), y1 + max(detail::within_reach(b[3]), V(0))};
  }
  template <operand V>
  HONE_HD static void chain(V const (&b)[4], box<V> const& by_corners, V (&to)[4]) noexcept {
    to[0] = by_corners.x1 + by_corners.x2, to[1] = by_corners.y1 + by_corners.y2;
    to[2] = select(b[2] < V(0), V(0), by_corners.x2);
    to[3] = select(b[3] < V(0), V(0), by_corners.y2);
  }
};

inline constexpr corners_format corners{};
inline constexpr centers_format centers{};
inline constexpr top_left_format top_left{};

/// A way to say a box by four numbers, that of the predicted boxes and of their targets.
template <class F>
concept box_format = requires(double const (&b)[4], box<double> g, double (&to)[4]) {
  { F::corners_of(b) } -> std::same_as<box<double>>;
  F::chain(b, g, to);
};

static_assert(box_format<corners_format> && box_format<centers_format> && box_format<top_left_format>);

}  // namespace hone
