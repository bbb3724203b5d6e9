// SPDX-License-Identifier: MIT
/// The checks of views that every public function makes before it touches memory.
#pragma once

#include <hone/core/error.hpp>
#include <hone/core/view.hpp>

#include <initializer_list>

#include <hone/core/macros_push.hpp>

namespace hone::inline HONE_ABI::detail {

template <class T>
index rows_of(matrix_view<T> v) noexcept {
  return v.rows;
}
template <class T>
index rows_of(image_view<T> v) noexcept {
  return v.images * v.pixels;
}
template <class T>
index columns_of(matrix_view<T> v) noexcept {
  return v.columns;
}
template <class T>
index columns_of(image_view<T> v) noexcept {
  return v.channels;
}

/// Fails if a size is negative.
inline void require_sizes(const char* function, const char* name, std::intmax_t rows, std::intmax_t columns) {
  if (rows < 0 || columns < 0) fail("%s: %s is %jd x %jd, sizes must not be negative", function, name, rows, columns);
}
/// Returns true if the product of the sizes, with sizes <= 0 counted as 1, is at most max_numbers.
inline bool fits_memory(std::initializer_list<std::intmax_t> sizes) noexcept {
  index all = 1;
  for (const std::intmax_t size : sizes) all = product_of_sizes(all, size > 0 ? size : 1);
  return all <= max_numbers;
}
/// Fails if rows would overlap, if a matrix that is not empty has no data, or if memory cannot hold the matrix.
[[gnu::noinline]] inline void require_memory(const char* function, const char* name, std::intmax_t rows,
                                             std::intmax_t columns, std::intmax_t row_stride, bool data) {
  if (row_stride < columns)
    fail("%s: %s has a row_stride of %jd, must be at least its %jd columns", function, name, row_stride, columns);
  if (!data && rows > 0 && columns > 0) fail("%s: %s is %jd x %jd but has no data", function, name, rows, columns);
  if (!fits_memory({rows, row_stride}))
    fail("%s: %s is %jd x %jd with a row_stride of %jd, more than memory can hold", function, name, rows, columns,
         row_stride);
}
template <class T>
void require_memory(const char* function, const char* name, matrix_view<T> v) {
  require_memory(function, name, v.rows, v.columns, v.row_stride, v.data != nullptr);
}

[[gnu::noinline]] inline void require_images(const char* function, const char* name, std::intmax_t images,
                                             std::intmax_t channels, std::intmax_t pixels, bool data) {
  if (images < 0 || channels < 0 || pixels < 0)
    fail("%s: %s is %jd x %jd x %jd, sizes must not be negative", function, name, images, channels, pixels);
  if (!data && images > 0 && channels > 0 && pixels > 0)
    fail("%s: %s is %jd x %jd x %jd but has no data", function, name, images, channels, pixels);
  if (!fits_memory({images, channels, pixels}))
    fail("%s: %s is %jd x %jd x %jd, more than memory can hold", function, name, images, channels, pixels);
}
/// Fails if the view does not describe memory that can exist.
template <class T>
void require_valid(matrix_view<T> v, const char* name, const char* function = "evaluate") {
  require_sizes(function, name, v.rows, v.columns);
  require_memory(function, name, v);
}
template <class T>
void require_valid(image_view<T> v, const char* name, const char* function = "evaluate") {
  require_images(function, name, v.images, v.channels, v.pixels, v.data != nullptr);
}

/// Returns true if two views have the same layout: both are matrices, or both have the same images and pixels.
template <class T, class U>
bool same_layout(matrix_view<T>, matrix_view<U>) noexcept {
  return true;
}
template <class T, class U>
bool same_layout(image_view<T> a, image_view<U> b) noexcept {
  return a.images == b.images && a.pixels == b.pixels;
}

/// Fails if the view is not valid, or does not have this many rows and columns.
template <class View>
void require_shape(View v, const char* name, index rows, index columns) {
  require_valid(v, name);
  if (rows_of(v) != rows || columns_of(v) != columns)
    fail("evaluate: %s is %jd x %jd, prediction is %jd x %jd", name, std::intmax_t(rows_of(v)),
         std::intmax_t(columns_of(v)), std::intmax_t(rows), std::intmax_t(columns));
}

/// Fails as require_shape does, and if the layout of the view differs from that of the prediction.
template <class View, class Prediction>
void require_like(View v, const char* name, Prediction prediction) {
  static_assert(
      requires { same_layout(v, prediction); },
      "evaluate: dense targets and teachers are views of the prediction's kind: all hone::matrix_view, or all "
      "hone::image_view");
  require_shape(v, name, rows_of(prediction), columns_of(prediction));
  if (!same_layout(v, prediction)) fail("evaluate: %s and prediction cut their pixels into images differently", name);
}

/// Calls require_like if an optional output is present.
template <class View, class Prediction>
void require_like_if_present(View v, const char* name, Prediction prediction) {
  if (v.data != nullptr || rows_of(v) != 0 || columns_of(v) != 0) require_like(v, name, prediction);
}

}  // namespace hone::inline HONE_ABI::detail

#include <hone/core/macros_pop.hpp>
