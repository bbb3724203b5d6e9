// SPDX-License-Identifier: MIT
/// The mean and the maximum of a plane in one sweep: what CBAM squeezes.
#pragma once

#include <hone/structure/plane_reduction.hpp>

#include <hone/core/macros_push.hpp>

namespace hone::inline HONE_ABI {

/// Two numbers per plane, side by side: images x 2 channels, all means of an image before all maxima, as
/// torch.cat([x.mean((2, 3)), x.amax((2, 3))], 1) has them.
struct plane_mean_and_max_formula {};
inline constexpr plane_mean_and_max_formula plane_mean_and_max;

namespace detail {

template <class A, class T>
void require_two_plane_numbers(const char* function, const char* name, matrix_view<A> v, const char* other,
                               image_view<T> o) {
  require_valid(v, name, function);
  if (v.rows != o.images || v.columns != 2 * o.channels)
    fail("%s: %s is %jd x %jd, must be %jd x %jd: two numbers per plane of %s", function, name, std::intmax_t(v.rows),
         std::intmax_t(v.columns), std::intmax_t(o.images), std::intmax_t(2 * o.channels), other);
}
template <class T, class A>
void require_reduce_planes(plane_mean_and_max_formula, image_view<const T> x, matrix_view<A> out) {
  require_planes("reduce_planes", "x", x);
  require_two_plane_numbers("reduce_planes", "out", out, "x", x);
  require_apart("reduce_planes", "out", footprint_of(out), "x", footprint_of(x));
}
template <class T, class A>
void require_reduce_planes_backward(plane_mean_and_max_formula, image_view<const T> x, matrix_view<const A> dout,
                                    image_view<T> dx) {
  constexpr const char* function = "reduce_planes_backward";
  require_planes(function, "dx", dx);
  require_like_planes(function, "x", x, "dx", dx);
  require_two_plane_numbers(function, "dout", dout, "dx", dx);
  require_apart(function, "dx", footprint_of(dx), "dout", footprint_of(dout));
  require_same_or_apart(function, "dx", footprint_of(dx), "x", footprint_of(x));
}
/// The columns [0, channels) or [channels, 2 channels) of such a matrix.
template <class A>
matrix_view<A> half_of(matrix_view<A> v, int which) noexcept {
  const index columns = v.columns / 2;
  return {v.data ? v.data + which * columns : v.data, v.rows, columns, v.row_stride};
}

}  // namespace detail
}  // namespace hone::inline HONE_ABI

#include <hone/core/macros_pop.hpp>
