// SPDX-License-Identifier: MIT
/// Conversion between the formats of boxes. Along an axis the two numbers of a format are linear in the ends of the
/// box, and the reverse, so a conversion is a 2 x 2 matrix, and a gradient is converted by the transposed matrix.
/// Nothing is clamped: a negative side stays negative.
#pragma once

#include <hone/core/error.hpp>
#include <hone/core/view.hpp>
#include <hone/core/view_check.hpp>
#include <hone/loss/box/box.hpp>

#include <type_traits>

#include <hone/core/macros_push.hpp>

namespace hone::inline HONE_ABI {

namespace detail {

/// Maps (first, second) to (a first + b second, c first + d second).
struct axis_map {
  double a, b, c, d;
};
constexpr axis_map operator*(axis_map l, axis_map r) noexcept {
  return {l.a * r.a + l.b * r.c, l.a * r.b + l.b * r.d, l.c * r.a + l.d * r.c, l.c * r.b + l.d * r.d};
}
constexpr axis_map transposed(axis_map m) noexcept { return {m.a, m.c, m.b, m.d}; }

constexpr axis_map ends_of(corners_format) noexcept { return {1, 0, 0, 1}; }
constexpr axis_map ends_of(centers_format) noexcept { return {1, -0.5, 1, 0.5}; }
constexpr axis_map ends_of(top_left_format) noexcept { return {1, 0, 1, 1}; }
constexpr axis_map numbers_of_ends(corners_format) noexcept { return {1, 0, 0, 1}; }
constexpr axis_map numbers_of_ends(centers_format) noexcept { return {0.5, 0.5, -1, 1}; }
constexpr axis_map numbers_of_ends(top_left_format) noexcept { return {1, 0, -1, 1}; }

template <class F>
concept linear_box_format = requires(F f) { ends_of(f), numbers_of_ends(f); };

/// The map from the numbers of a box in format From to those in format To.
template <class From, class To>
struct numbers_between {
  static constexpr axis_map map = numbers_of_ends(To{}) * ends_of(From{});
};
/// The map from the derivative by the numbers in format From to that by the numbers in format To.
template <class From, class To>
struct gradients_between {
  static constexpr axis_map map = transposed(numbers_of_ends(From{}) * ends_of(To{}));
};

/// Returns p x + q y without the product whose coefficient is 0, because its operand may be infinite.
template <operand V>
HONE_HD V combined(double p, V x, double q, V y) noexcept {
  if (q == 0) return V(p) * x;
  if (p == 0) return V(q) * y;
  return V(p) * x + V(q) * y;
}

/// Converts one row of four numbers.
template <class Between, class T>
struct row_change {
  matrix_view<const T> from;
  matrix_view<T> to;

  HONE_HD void operator()(index i) const noexcept {
    using A = accumulator_t<T>;
    constexpr axis_map m = Between::map;
    T const* const x = from.row(i);
    T* const y = to.row(i);
    const A first[2] = {static_cast<A>(x[0]), static_cast<A>(x[1])};
    const A second[2] = {static_cast<A>(x[2]), static_cast<A>(x[3])};
    for (int axis = 0; axis < 2; ++axis) {
      y[axis] = static_cast<T>(combined(m.a, first[axis], m.b, second[axis]));
      y[axis + 2] = static_cast<T>(combined(m.c, first[axis], m.d, second[axis]));
    }
  }
};

template <template <class, class> class Between, class From, class To, class Backend, class T>
void change_rows(Backend&& backend, const char* function, matrix_view<const T> from, matrix_view<T> to) {
  static_assert(linear_box_format<From> && linear_box_format<To>,
                "convert_boxes: the formats must be hone::corners, hone::centers or hone::top_left");
  const auto rows_of_four = [&](const char* name, auto v) {
    if (v.rows < 0 || v.columns != 4 || v.rows != from.rows)
      fail("%s: %s is %jd x %jd, must be %jd x 4", function, name, std::intmax_t(v.rows), std::intmax_t(v.columns),
           std::intmax_t(from.rows));
    require_memory(function, name, v);
  };
  rows_of_four("from", from);
  rows_of_four("to", to);
  for_rows(backend, from.rows, row_change<Between<From, To>, T>{from, to});
}

}  // namespace detail

/// Converts the boxes `from` (n x 4) to another format, into `to` (n x 4); `to` may be the same memory as `from`:
///
///     hone::convert_boxes(cpu, boxes, hone::centers, {corners.data(), n, 4}, hone::corners);
///     hone::convert_boxes(cpu, boxes, hone::centers, boxes, hone::corners);   // in place
///
/// A length that both formats contain keeps its bits. Throws hone::invalid_argument, and writes nothing, if a shape
/// does not fit. Works on any backend.
template <class Backend, class T, class From, class To>
void convert_boxes(Backend&& backend, matrix_view<T> from, From,
                   std::type_identity_t<matrix_view<std::remove_const_t<T>>> to, To) {
  using number = std::remove_const_t<T>;
  detail::change_rows<detail::numbers_between, From, To>(backend, "convert_boxes", matrix_view<const number>(from), to);
}
/// The chain rule of convert_boxes: converts the gradient `from`, by a box's numbers in one format, to the gradient
/// `to`, by its numbers in another. If boxes went from centers to corners, gradients go from corners to centers.
template <class Backend, class T, class From, class To>
void convert_box_gradients(Backend&& backend, matrix_view<T> from, From,
                           std::type_identity_t<matrix_view<std::remove_const_t<T>>> to, To) {
  using number = std::remove_const_t<T>;
  detail::change_rows<detail::gradients_between, From, To>(backend, "convert_box_gradients",
                                                           matrix_view<const number>(from), to);
}

}  // namespace hone::inline HONE_ABI

#include <hone/core/macros_pop.hpp>
