// SPDX-License-Identifier: MIT
/// Boxes, and the formats that describe a box by four numbers.
#pragma once

#include <hone/core/lanes.hpp>
#include <hone/loss/box/box_axis.hpp>

#include <hone/core/macros_push.hpp>

namespace hone::inline HONE_ABI {

/// The corners of a box; formulas may assume x1 <= x2 and y1 <= y2. As a gradient: the derivatives by the four corners,
/// or by the four numbers of another format, in the order of that format.
template <class V>
struct box {
  V x1, y1, x2, y2;
};

/// A value and its derivative by the predicted box.
template <class V>
struct box_grad {
  V value;
  box<V> grad;
};

/// A predicted box and its target.
template <class V>
struct two_boxes {
  box<V> predicted, target;
};

namespace detail {

/// Coordinates are clamped to ±farthest, so that no product of two lengths overflows a float.
inline constexpr double farthest = 1073741824;  // 2^30
/// Lower bounds of areas (and squares) and of lengths, so that a division by them stays finite.
inline constexpr double smallest_area = 1e-20, smallest_length = 1e-10;

template <operand V>
HONE_HD HONE_INLINE V clamped(V x) noexcept {
  return max(min(x, V(farthest)), V(-farthest));  // min and max return their first argument if it is NaN: NaN stays
}
/// Clamps an end or a side to [minimum, farthest]. `minimum` is in range already.
template <operand V>
HONE_HD HONE_INLINE V clamped_from(V minimum, V x) noexcept {
  return max(min(x, V(farthest)), minimum);
}

/// The common part of formats with a position and two sides; a negative side counts as 0.
struct sides_format {
  template <operand V>
  HONE_HD HONE_INLINE static box<V> numbers_of(V const (&b)[4]) noexcept {
    return {clamped(b[0]), clamped(b[1]), clamped_from(V(0), b[2]), clamped_from(V(0), b[3])};
  }
  template <operand V>
  HONE_HD HONE_INLINE static void chain_numbers(V const (&b)[4], box<V> const& by_numbers, V (&to)[4]) noexcept {
    to[0] = by_numbers.x1, to[1] = by_numbers.y1;
    to[2] = select(b[2] < V(0), V(0), by_numbers.x2);
    to[3] = select(b[3] < V(0), V(0), by_numbers.y2);
  }
  template <operand V>
  HONE_HD HONE_INLINE static auto are_valid(box<V> const& p, box<V> const& t) noexcept {
    const V shortest = lesser_number(lesser_number(p.x2, p.y2), lesser_number(t.x2, t.y2)),
            longest = larger_number(larger_number(p.x2, p.y2), larger_number(t.x2, t.y2));
    const V position = larger_number(larger_number(abs(p.x1), abs(p.y1)), larger_number(abs(t.x1), abs(t.y1)));
    return (V(0) <= shortest) & (larger_number(longest, position) <= V(farthest));
  }
};

}  // namespace detail

/// (x1, y1, x2, y2). A box whose second corner lies before its first has width or height 0, at its first corner.
struct corners_format {
  template <operand V>
  HONE_HD HONE_INLINE static box<V> numbers_of(V const (&b)[4]) noexcept {
    const V x1 = detail::clamped(b[0]), y1 = detail::clamped(b[1]);
    return {x1, y1, detail::clamped_from(x1, b[2]), detail::clamped_from(y1, b[3])};
  }
  template <operand V>
  HONE_HD HONE_INLINE static void chain_numbers(V const (&b)[4], box<V> const& by_numbers, V (&to)[4]) noexcept {
    along(b[2] < b[0], by_numbers.x1, by_numbers.x2, to[0], to[2]);
    along(b[3] < b[1], by_numbers.y1, by_numbers.y2, to[1], to[3]);
  }
  template <operand V>
  HONE_HD HONE_INLINE static auto are_valid(box<V> const& p, box<V> const& t) noexcept {
    const V first = lesser_number(lesser_number(p.x1, t.x1), lesser_number(p.y1, t.y1)),
            last = larger_number(larger_number(p.x2, t.x2), larger_number(p.y2, t.y2));
    const V side = lesser_number(lesser_number(p.x2 - p.x1, p.y2 - p.y1), lesser_number(t.x2 - t.x1, t.y2 - t.y1));
    return (V(0) <= side) & (V(-detail::farthest) <= first) & (last <= V(detail::farthest));
  }
  template <operand V>
  HONE_HD HONE_INLINE static box_axis<V> axis_of(V low, V high, V target_low, V target_high) noexcept {
    // A NaN among them is in `side` or in `target`.
    return {exact(high - low),
            exact(target_high - target_low),
            larger_number(lesser_number(high, target_high) - larger_number(low, target_low), V(0)),
            exact(larger_number(high, target_high) - lesser_number(low, target_low)),
            V(0.5) * (exact(low - target_low) + exact(high - target_high)),
            share_of(target_low, low),
            share_of(high, target_high)};
  }
  template <operand V>
  HONE_HD HONE_INLINE static void by_lengths(box_axis<V> const& a, V side, V overlap, V& first, V& second) noexcept {
    first = -side - a.starts * overlap, second = side + a.ends * overlap;
  }
  template <operand V>
  HONE_HD HONE_INLINE static void by_offset(V offset, V& first, V& second) noexcept {
    const V half = V(0.5) * offset;
    first = first + half, second = second + half;
  }

  template <operand V>
  HONE_HD HONE_INLINE static box<V> corners_of(V const (&b)[4]) noexcept {
    return numbers_of(b);
  }
  template <operand V>
  HONE_HD HONE_INLINE static two_boxes<V> corners_of(box<V> const& predicted, box<V> const& target) noexcept {
    return {predicted, target};
  }
  template <operand V>
  HONE_HD HONE_INLINE static box<V> by_corners(box<V> const& grad) noexcept {
    return grad;
  }
  template <operand V>
  HONE_HD HONE_INLINE static void chain(V const (&b)[4], box<V> const& by_corners, V (&to)[4]) noexcept {
    chain_numbers(b, by_corners, to);
  }

 private:
  template <class Mask, operand V>
  HONE_HD HONE_INLINE static void along(Mask inverted, V first, V second, V& by_first, V& by_second) noexcept {
    by_first = select(inverted, first + second, first);
    by_second = select(inverted, V(0), second);
  }
};

/// (cx, cy, w, h). A negative side counts as 0.
struct centers_format : detail::sides_format {
  template <operand V>
  HONE_HD HONE_INLINE static box_axis<V> axis_of(V center, V side, V target_center, V target) noexcept {
    const V offset = center - target_center, far = abs(offset);
    const V between = V(0.5) * (side + target), larger = V(0.5) * (side - target);
    return {side,
            target,
            max(min(between - far, min(side, target)), V(0)),
            max(between + far, max(side, target)),
            offset,
            share_of(larger, offset),
            share_of(offset, -larger)};
  }
  template <operand V>
  HONE_HD HONE_INLINE static void by_lengths(box_axis<V> const& a, V side, V overlap, V& first, V& second) noexcept {
    first = (a.ends - a.starts) * overlap, second = side + V(0.5) * (a.starts + a.ends) * overlap;
  }
  template <operand V>
  HONE_HD HONE_INLINE static void by_offset(V offset, V& first, V&) noexcept {
    first = first + offset;
  }

  template <operand V>
  HONE_HD HONE_INLINE static box<V> corners_of(V const (&b)[4]) noexcept {
    const box<V> n = numbers_of(b);
    const V w = V(0.5) * n.x2, h = V(0.5) * n.y2;
    return {n.x1 - w, n.y1 - h, n.x1 + w, n.y1 + h};
  }
  /// Both boxes relative to the target's centre.
  template <operand V>
  HONE_HD HONE_INLINE static two_boxes<V> corners_of(box<V> const& predicted, box<V> const& target) noexcept {
    const V x = predicted.x1 - target.x1, w = V(0.5) * predicted.x2, target_w = V(0.5) * target.x2;
    const V y = predicted.y1 - target.y1, h = V(0.5) * predicted.y2, target_h = V(0.5) * target.y2;
    return {{x - w, y - h, x + w, y + h}, {-target_w, -target_h, target_w, target_h}};
  }
  template <operand V>
  HONE_HD HONE_INLINE static box<V> by_corners(box<V> const& grad) noexcept {
    return {grad.x1 + grad.x2, grad.y1 + grad.y2, V(0.5) * (grad.x2 - grad.x1), V(0.5) * (grad.y2 - grad.y1)};
  }
  template <operand V>
  HONE_HD HONE_INLINE static void chain(V const (&b)[4], box<V> const& corners, V (&to)[4]) noexcept {
    chain_numbers(b, by_corners(corners), to);
  }
};

/// (x1, y1, w, h), as in COCO. A negative side counts as 0.
struct top_left_format : detail::sides_format {
  template <operand V>
  HONE_HD HONE_INLINE static box_axis<V> axis_of(V low, V side, V target_low, V target) noexcept {
    const V shift = low - target_low, end = shift + side;  // relative to the start of the target
    return {side,
            target,
            max(min(min(end, target - shift), min(side, target)), V(0)),
            max(max(end, target - shift), max(side, target)),
            shift + V(0.5) * (side - target),
            share_of(V(0), shift),
            share_of(end, target)};
  }
  template <operand V>
  HONE_HD HONE_INLINE static void by_lengths(box_axis<V> const& a, V side, V overlap, V& first, V& second) noexcept {
    first = (a.ends - a.starts) * overlap, second = side + a.ends * overlap;
  }
  template <operand V>
  HONE_HD HONE_INLINE static void by_offset(V offset, V& first, V& second) noexcept {
    first = first + offset, second = second + V(0.5) * offset;
  }

  template <operand V>
  HONE_HD HONE_INLINE static box<V> corners_of(V const (&b)[4]) noexcept {
    const box<V> n = numbers_of(b);
    return {n.x1, n.y1, n.x1 + n.x2, n.y1 + n.y2};
  }
  /// Both boxes relative to the target's first corner.
  template <operand V>
  HONE_HD HONE_INLINE static two_boxes<V> corners_of(box<V> const& predicted, box<V> const& target) noexcept {
    const V x = predicted.x1 - target.x1, y = predicted.y1 - target.y1;
    return {{x, y, x + predicted.x2, y + predicted.y2}, {V(0), V(0), target.x2, target.y2}};
  }
  template <operand V>
  HONE_HD HONE_INLINE static box<V> by_corners(box<V> const& grad) noexcept {
    return {grad.x1 + grad.x2, grad.y1 + grad.y2, grad.x2, grad.y2};
  }
  template <operand V>
  HONE_HD HONE_INLINE static void chain(V const (&b)[4], box<V> const& corners, V (&to)[4]) noexcept {
    chain_numbers(b, by_corners(corners), to);
  }
};

inline constexpr corners_format corners{};
inline constexpr centers_format centers{};
inline constexpr top_left_format top_left{};

/// A format: how four numbers describe a box, the same for predicted boxes and their targets. The numbers are (first x,
/// first y, second x, second y), two per axis. numbers_of clamps them to those of a valid box; all other functions take
/// clamped numbers.
///   are_valid        returns true only if numbers_of changes no number of two boxes, or one of them is NaN; then
///                    chain_numbers changes nothing
///   axis_of          returns the lengths along an axis, from the prediction's two numbers and the target's
///   by_lengths       returns the derivative by the two numbers, from those by the side and the overlap (to include a
///                    hull, add its slope to the side's and subtract it from the overlap's)
///   by_offset        adds the derivative by the offset of the centres
///   chain_numbers    turns the derivative by the clamped numbers into one by the numbers before numbers_of
///   corners_of, by_corners, chain     the same by way of corners
template <class F>
concept box_format = requires(double const (&b)[4], box<double> n, box_axis<double> a, double x, double (&to)[4]) {
  { F::numbers_of(b) } -> std::same_as<box<double>>;
  F::are_valid(box<detail::lanes>(), box<detail::lanes>());
  { F::axis_of(x, x, x, x) } -> std::same_as<box_axis<double>>;
  F::by_lengths(a, x, x, x, x);
  F::by_offset(x, x, x);
  F::chain_numbers(b, n, to);
  { F::corners_of(b) } -> std::same_as<box<double>>;
  { F::corners_of(n, n) } -> std::same_as<two_boxes<double>>;
  { F::by_corners(n) } -> std::same_as<box<double>>;
  F::chain(b, n, to);
};

static_assert(box_format<corners_format> && box_format<centers_format> && box_format<top_left_format>);

}  // namespace hone::inline HONE_ABI

#include <hone/core/macros_pop.hpp>
