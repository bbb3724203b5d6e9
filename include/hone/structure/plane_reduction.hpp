// SPDX-License-Identifier: MIT
/// Plane reductions: one number for the pixels of one channel of one image.
#pragma once

#include <hone/core/operand.hpp>
#include <hone/structure/plane_check.hpp>

#include <concepts>
#include <limits>

#include <hone/core/macros_push.hpp>

namespace hone::inline HONE_ABI {

/// start(): what no pixel has. join(a, b): two parts in one. finish(total, pixels): the number of the plane.
/// at_one_pixel: the gradient goes to one pixel, the first whose number is the total; otherwise each pixel gets
/// 1 / pixels of it.
template <class R>
concept plane_reduction = requires(R reduce, double x, index pixels) {
  { reduce.template start<double>() } -> std::same_as<double>;
  { reduce.join(x, x) } -> std::same_as<double>;
  { reduce.finish(x, pixels) } -> std::same_as<double>;
  { R::at_one_pixel } -> std::convertible_to<bool>;
};

/// The mean of a plane: SE's squeeze, global average pooling.
struct plane_mean_formula {
  static constexpr bool at_one_pixel = false;

  template <operand V>
  HONE_HD V start() const {
    return V(0);
  }
  template <operand V>
  HONE_HD V join(V a, V b) const {
    return a + b;
  }
  HONE_HD double finish(double total, index pixels) const { return total / static_cast<double>(pixels); }
};

/// The maximum of a plane: global maximum pooling. NaN if a pixel is NaN. The gradient goes to the first maximum in
/// memory, or to the first NaN.
struct plane_max_formula {
  static constexpr bool at_one_pixel = true;
  static constexpr double lowest = -std::numeric_limits<double>::infinity();

  template <operand V>
  HONE_HD V start() const {
    return V(lowest);
  }
  template <operand V>
  HONE_HD V join(V a, V b) const {
    return select(b == exact(b), select(a < b, b, a), b);  // a < b is false if a is NaN
  }
  HONE_HD double finish(double total, index) const { return total; }
};

inline constexpr plane_mean_formula plane_mean;
inline constexpr plane_max_formula plane_max;

static_assert(plane_reduction<plane_mean_formula> && plane_reduction<plane_max_formula>);

namespace detail {

/// The checks of reduce_planes.
template <class T, class A>
void require_reduce_planes(image_view<const T> x, matrix_view<A> out) {
  require_planes("reduce_planes", "x", x);
  require_plane_numbers("reduce_planes", "out", out, "x", x);
  require_apart("reduce_planes", "out", footprint_of(out), "x", footprint_of(x));
}

/// The checks of reduce_planes_backward. x is read for reductions at one pixel only.
template <class T, class A>
void require_reduce_planes_backward(bool reads_x, image_view<const T> x, matrix_view<const A> dout, image_view<T> dx) {
  constexpr const char* function = "reduce_planes_backward";
  require_planes(function, "dx", dx);
  if (reads_x) require_like_planes(function, "x", x, "dx", dx);
  require_plane_numbers(function, "dout", dout, "dx", dx);
  require_apart(function, "dx", footprint_of(dx), "dout", footprint_of(dout));
  if (reads_x) require_same_or_apart(function, "dx", footprint_of(dx), "x", footprint_of(x));
}

}  // namespace detail
}  // namespace hone::inline HONE_ABI

#include <hone/core/macros_pop.hpp>
