// SPDX-License-Identifier: MIT
/// Checks of planes, and of matrices with one number per plane.
#pragma once

#include <hone/core/overlap.hpp>
#include <hone/core/view_check.hpp>

#include <hone/core/macros_push.hpp>

namespace hone::inline HONE_ABI::detail {

/// Returns true if an optional image or matrix is given.
template <class T>
bool given(image_view<T> v) noexcept {
  return v.data != nullptr || v.images != 0 || v.channels != 0 || v.pixels != 0;
}
template <class T>
bool given(matrix_view<T> v) noexcept {
  return v.data != nullptr || v.rows != 0 || v.columns != 0;
}

/// Fails unless the view is valid memory and its planes have pixels.
template <class T>
void require_planes(const char* function, const char* name, image_view<T> v) {
  require_valid(v, name, function);
  if (v.pixels == 0 && v.images > 0 && v.channels > 0)
    fail("%s: %s is %jd x %jd x 0, planes must have pixels", function, name, std::intmax_t(v.images),
         std::intmax_t(v.channels));
}
/// Fails unless the view is valid memory and has the shape of another one.
template <class T, class U>
void require_like_planes(const char* function, const char* name, image_view<T> v, const char* other, image_view<U> o) {
  require_valid(v, name, function);
  if (v.images != o.images || v.channels != o.channels || v.pixels != o.pixels)
    fail("%s: %s is %jd x %jd x %jd, %s is %jd x %jd x %jd", function, name, std::intmax_t(v.images),
         std::intmax_t(v.channels), std::intmax_t(v.pixels), other, std::intmax_t(o.images), std::intmax_t(o.channels),
         std::intmax_t(o.pixels));
}
/// Fails unless the matrix is valid memory and has the shape of another one.
template <class T, class U>
void require_like_planes(const char* function, const char* name, matrix_view<T> v, const char* other,
                         matrix_view<U> o) {
  require_valid(v, name, function);
  if (v.rows != o.rows || v.columns != o.columns)
    fail("%s: %s is %jd x %jd, %s is %jd x %jd", function, name, std::intmax_t(v.rows), std::intmax_t(v.columns), other,
         std::intmax_t(o.rows), std::intmax_t(o.columns));
}

/// Fails unless the matrix is valid memory and has one number per plane: images x channels.
template <class A, class T>
void require_plane_numbers(const char* function, const char* name, matrix_view<A> v, const char* other,
                           image_view<T> o) {
  require_valid(v, name, function);
  if (v.rows != o.images || v.columns != o.channels)
    fail("%s: %s is %jd x %jd, %s has %jd x %jd planes", function, name, std::intmax_t(v.rows),
         std::intmax_t(v.columns), other, std::intmax_t(o.images), std::intmax_t(o.channels));
}

}  // namespace hone::inline HONE_ABI::detail

#include <hone/core/macros_pop.hpp>
