// SPDX-License-Identifier: MIT
/// The taps of a deformable convolution: where one reads, by which weights, and the derivatives by its position.
#pragma once

#include <hone/core/number.hpp>
#include <hone/core/operand.hpp>

#include <hone/core/macros_push.hpp>

namespace hone::inline HONE_ABI {

/// The derivative by a coordinate of a tap that lies exactly on the rim: y = -1 or y = height, x = -1 or x = width. The
/// value is 0 there and has a kink: it is 0 farther out. Elsewhere, a tap on a pixel has the derivative from the right.
enum class deform_border : unsigned char {
  inward,     ///< hone: from the side of the image, at both ends, so that a tap on the rim can move in
  rightward,  ///< torchvision: from the right everywhere, so it is 0 at the far end and not at -1
  none        ///< mmcv: 0 at both ends
};

namespace detail {

/// One axis of a tap: it reads the pixels low and low + 1, those with weights 1 - fraction and fraction. Pixels -1 and
/// `extent` are 0. Outside the image low is `extent`: both pixels are 0.
template <class A>
struct tap_axis {
  index low;
  A fraction;
};

/// Returns the axis of a tap at base + offset. The fraction has the precision of the offset, however large base is. An
/// infinite offset is outside; NaN is outside with a fraction of NaN, and so are the value and the derivatives.
template <class A>
HONE_HD HONE_INLINE tap_axis<A> tap_on_axis(index base, A offset, index extent, deform_border border) noexcept {
  constexpr A outermost = A(1LL << 60);  // offsets beyond it are outside every image
  A inside = offset > -outermost ? offset : -outermost;
  inside = inside < outermost ? inside : outermost;
  const index truncated = static_cast<index>(inside), whole = truncated - (inside < A(truncated)), low = base + whole;
  const A fraction = inside - A(whole);
  if (low == extent && fraction == A(0) && border == deform_border::inward && extent > 0) return {extent - 1, A(1)};
  const bool outside = low < -1 || low >= extent || (border == deform_border::none && low == -1 && fraction == A(0));
  if (offset != offset) return {extent, offset};
  if (outside) return {extent, A(0)};
  return {low, fraction};
}

/// Where a tap is: its upper left pixel, and how far it is below and right of that.
template <class A>
struct tap_place {
  index row, column;
  A y, x;
};

/// Returns the place of a tap of two axes. NaN on one axis is NaN on both, so that all derivatives are.
template <class A>
HONE_HD HONE_INLINE tap_place<A> tap_at(tap_axis<A> y, tap_axis<A> x) noexcept {
  return {y.low, x.low, y.fraction + (x.fraction - x.fraction), x.fraction + (y.fraction - y.fraction)};
}

/// The four pixels around a tap: upper left, upper right, lower left, lower right.
template <class V>
struct tap_corners {
  V at[4];
};

/// The bilinear value of a tap and its derivatives by y and x.
template <class V>
struct tap_value {
  V value, by_y, by_x;
};

/// Returns the weights of the four pixels of a tap, times `factor`.
template <class V>
HONE_HD HONE_INLINE tap_corners<V> tap_weights(V y, V x, V factor) noexcept {
  const V lower = y * factor, upper = factor - lower, left = V(1) - x;
  return {{upper * left, upper * x, lower * left, lower * x}};
}

/// Bilinear interpolation at the fractions y and x, Dai et al. 2017, arXiv 1703.06211, equation 4. It is linear in the
/// pixels, so the sum over channels may be taken of the corners.
///   value (1-y)((1-x) a + x b) + y ((1-x) c + x d)    by y (1-x)(c-a) + x (d-b)    by x (1-y)(b-a) + y (d-c)
template <class V>
HONE_HD HONE_INLINE tap_value<V> tap_of(tap_corners<V> const& pixels, V y, V x) noexcept {
  const V a = pixels.at[0], b = pixels.at[1], c = pixels.at[2], d = pixels.at[3], up = V(1) - y, left = V(1) - x;
  return {up * (left * a + x * b) + y * (left * c + x * d), left * (c - a) + x * (d - b), up * (b - a) + y * (d - c)};
}

}  // namespace detail
}  // namespace hone::inline HONE_ABI

#include <hone/core/macros_pop.hpp>
