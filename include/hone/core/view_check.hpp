// SPDX-License-Identifier: MIT
/// The checks of views that every entry point makes before it touches memory.
#pragma once

#include <hone/core/error.hpp>
#include <hone/core/view.hpp>

namespace hone::detail {

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

/// The view describes memory that can exist: sizes not negative, rows not overlapping, data where needed. Text is
/// put together only where it fails.
template <class T>
void require_valid(matrix_view<T> v, const char* name) {
  const auto refuse = [&](std::string const& what) { fail(std::string("evaluate: ") + name + what); };
  const auto shape = [&] { return " is " + text(v.rows, v.columns); };
  if (v.rows < 0 || v.columns < 0) refuse(shape() + ", sizes must not be negative");
  if (v.row_stride < v.columns)
    refuse(" has a row_stride of " + text(v.row_stride) + ", must be at least its " + text(v.columns) + " columns");
  if (v.data == nullptr && v.rows * v.columns > 0) refuse(shape() + " but has no data");
}
template <class T>
void require_valid(image_view<T> v, const char* name) {
  const auto refuse = [&](const char* what) {
    fail(std::string("evaluate: ") + name + " is " + text(v.images, v.channels) + " x " + text(v.pixels) + what);
  };
  if (v.images < 0 || v.channels < 0 || v.pixels < 0) refuse(", sizes must not be negative");
  if (v.data == nullptr && v.images * v.channels * v.pixels > 0) refuse(" but has no data");
}

/// Whether two views read memory alike: both matrices, or images cut the same way.
template <class T, class U>
bool same_layout(matrix_view<T>, matrix_view<U>) noexcept {
  return true;
}
template <class T, class U>
bool same_layout(image_view<T> a, image_view<U> b) noexcept {
  return a.images == b.images && a.pixels == b.pixels;
}

/// The view is valid and has this many rows and columns.
template <class View>
void require_shape(View v, const char* name, index rows, index columns) {
  require_valid(v, name);
  if (rows_of(v) != rows || columns_of(v) != columns)
    fail(std::string("evaluate: ") + name + " is " + text(rows_of(v), columns_of(v)) + ", prediction is " +
         text(rows, columns));
}

/// It also reads memory as the prediction does.
template <class View, class Prediction>
void require_like(View v, const char* name, Prediction prediction) {
  require_shape(v, name, rows_of(prediction), columns_of(prediction));
  if (!same_layout(v, prediction))
    fail(std::string("evaluate: ") + name + " and prediction cut their pixels into images differently");
}

}  // namespace hone::detail
