// SPDX-License-Identifier: MIT
/// The row and the column of elements in the order of memory, in device code.
#pragma once

#include <hone/core/view.hpp>
#include <hone/cuda/run/launch.hpp>

#include <hone/core/macros_push.hpp>

namespace hone::inline HONE_ABI::on_cuda {

/// The order of the elements of a view in memory: the divisors of a cursor.
template <class View>
struct element_order;
template <class T>
struct element_order<matrix_view<T>> {
  divider columns;

  HONE_HD index count() const { return columns.by; }
};
template <class T>
struct element_order<image_view<T>> {
  divider pixels, channels;

  HONE_HD index count() const { return channels.by; }
};
template <class T>
element_order<matrix_view<T>> order_of(matrix_view<T> v) noexcept {
  return {divider(v.columns)};
}
template <class T>
element_order<image_view<T>> order_of(image_view<T> v) noexcept {
  return {divider(v.pixels), divider(v.channels)};
}

/// The row and the column of an element; advance() moves to the next element in memory.
template <class View>
struct cursor;
template <class T>
struct cursor<matrix_view<T>> {
  index row, column, columns;

  HONE_HD cursor(element_order<matrix_view<T>> order, index i)
      : row(order.columns.quotient(i)), column(i - row * order.columns.by), columns(order.columns.by) {}
  HONE_HD bool begins_row() const { return column == 0; }
  HONE_HD void advance() {
    if (++column == columns) column = 0, ++row;
  }
};
template <class T>
struct cursor<image_view<T>> {
  index row, column, pixel, pixels, channels;

  HONE_HD cursor(element_order<image_view<T>> order, index i) : pixels(order.pixels.by), channels(order.channels.by) {
    const index plane = order.pixels.quotient(i), image = order.channels.quotient(plane);
    pixel = i - plane * pixels, column = plane - image * channels, row = image * pixels + pixel;
  }
  HONE_HD static constexpr bool begins_row() { return true; }  // pixels are rows
  HONE_HD void advance() {
    ++row;
    if (++pixel != pixels) return;
    pixel = 0;
    if (++column == channels) {
      column = 0;
    } else {
      row -= pixels;
    }
  }
};

}  // namespace hone::inline HONE_ABI::on_cuda

#include <hone/core/macros_pop.hpp>
