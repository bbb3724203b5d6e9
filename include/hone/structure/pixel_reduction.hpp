// SPDX-License-Identifier: MIT
/// The checks of pixel reductions: the mean and the maximum of the channels of every pixel.
#pragma once

#include <hone/structure/plane_check.hpp>

#include <hone/core/macros_push.hpp>

namespace hone::inline HONE_ABI::detail {

inline constexpr index most_counted_channels = index(1) << 24;  // numbers up to here are exact in float

/// Fails unless the matrix is valid memory and has one number per pixel: images x pixels.
template <class A, class T>
void require_pixel_numbers(const char* function, const char* name, matrix_view<A> v, const char* other,
                           image_view<T> o) {
  require_valid(v, name, function);
  if (v.rows != o.images || v.columns != o.pixels)
    fail("%s: %s is %jd x %jd, %s has %jd images of %jd pixels", function, name, std::intmax_t(v.rows),
         std::intmax_t(v.columns), other, std::intmax_t(o.images), std::intmax_t(o.pixels));
}
/// Fails unless an image has the two channels of a pixel reduction, and the other images and pixels.
template <class A, class T>
void require_reduced(const char* function, const char* name, image_view<A> v, const char* other, image_view<T> o) {
  require_valid(v, name, function);
  if (v.images != o.images || v.channels != 2 || v.pixels != o.pixels)
    fail("%s: %s is %jd x %jd x %jd, must be %jd x 2 x %jd as %s is %jd x %jd x %jd", function, name,
         std::intmax_t(v.images), std::intmax_t(v.channels), std::intmax_t(v.pixels), std::intmax_t(o.images),
         std::intmax_t(o.pixels), other, std::intmax_t(o.images), std::intmax_t(o.channels), std::intmax_t(o.pixels));
}
/// Fails if pixels have no channels, or more than `first` can count.
template <class T>
void require_channels(const char* function, const char* name, image_view<T> v) {
  require_valid(v, name, function);
  if (v.images > 0 && v.pixels > 0 && (v.channels < 1 || v.channels > most_counted_channels))
    fail("%s: %s has %jd channels, must have 1 to 2^24", function, name, std::intmax_t(v.channels));
}

/// The checks of reduce_pixels.
template <class T, class A>
void require_reduce_pixels(image_view<const T> x, image_view<A> out, matrix_view<A> first) {
  constexpr const char* function = "reduce_pixels";
  require_channels(function, "x", x);
  require_reduced(function, "out", out, "x", x);
  require_apart(function, "out", footprint_of(out), "x", footprint_of(x));
  if (!given(first)) return;
  require_pixel_numbers(function, "first", first, "x", x);
  require_apart(function, "first", footprint_of(first), "x", footprint_of(x));
  require_apart(function, "first", footprint_of(first), "out", footprint_of(out));
}

/// The checks of reduce_pixels_backward.
template <class T, class A>
void require_reduce_pixels_backward(image_view<const A> dout, matrix_view<const A> first, image_view<T> dx) {
  constexpr const char* function = "reduce_pixels_backward";
  require_channels(function, "dx", dx);
  require_reduced(function, "dout", dout, "dx", dx);
  require_pixel_numbers(function, "first", first, "dx", dx);
  require_apart(function, "dx", footprint_of(dx), "dout", footprint_of(dout));
  require_apart(function, "dx", footprint_of(dx), "first", footprint_of(first));
}

}  // namespace hone::inline HONE_ABI::detail

#include <hone/core/macros_pop.hpp>
