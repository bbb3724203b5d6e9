// SPDX-License-Identifier: MIT
/// The place of a row in a view, in device code.
#pragma once

#include <hone/core/view.hpp>
#include <hone/cuda/run/launch.hpp>

#include <hone/core/macros_push.hpp>

namespace hone::inline HONE_ABI::on_cuda {

/// The start of a row in a view: rows of a matrix have a stride, and the pixels of images are adjacent.
struct row_place {
  index row = 0, first = 0;  // first: for images, from their data
};
template <class T>
HONE_HD T* row_at(matrix_view<T> v, row_place place) {
  return v.data + place.row * v.row_stride;
}
template <class T>
HONE_HD T* row_at(image_view<T> v, row_place place) {
  return v.data + place.first;
}
template <class T>
HONE_HD row_place place_of(matrix_view<T>, divider, index row) {
  return {row, 0};
}
template <class T>
HONE_HD row_place place_of(image_view<T> v, divider pixels, index row) {
  const index image = pixels.quotient(row);
  return {row, row + image * (v.channels - 1) * v.pixels};
}
/// Returns the divisor of place_of.
template <class T>
divider pixels_of(matrix_view<T>) noexcept {
  return {};
}
template <class T>
divider pixels_of(image_view<T> v) noexcept {
  return divider(v.pixels);
}
template <class T>
HONE_HD index column_step(matrix_view<T>) {
  return 1;
}
template <class T>
HONE_HD index column_step(image_view<T> v) {
  return v.pixels;
}

}  // namespace hone::inline HONE_ABI::on_cuda

#include <hone/core/macros_pop.hpp>
