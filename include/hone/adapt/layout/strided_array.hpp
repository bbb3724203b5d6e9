// SPDX-License-Identifier: MIT
/// An array whose sizes and strides are known when the program runs: what the adapters of DLPack, mdspan and OpenCV
/// make of theirs, and its views.
#pragma once

#include <hone/adapt/layout/strides.hpp>

#include <array>
#include <cstdio>
#include <span>
#include <utility>

#include <hone/core/macros_push.hpp>

namespace hone::inline HONE_ABI::detail {

/// Numbers at data + Σ place[k] · strides[k], in elements.
template <class T>
struct strided_array {
  static constexpr std::size_t most = 34;  // dimensions: 32, channels (array_of_opencv), and one more in rows()

  T* data = nullptr;
  std::size_t dimensions = 0;
  std::array<index, most> sizes = {}, strides = {};

  void add(index size, index stride) noexcept {
    sizes[dimensions] = size, strides[dimensions] = stride;
    ++dimensions;
  }
  /// Sets the strides of row-major numbers without padding.
  void set_row_major() noexcept {
    index stride = 1;
    for (std::size_t k = dimensions; k-- > 0;) strides[k] = stride, stride = product_of_sizes(stride, sizes[k]);
  }
  index numbers() const noexcept {
    index all = 1;
    for (std::size_t k = 0; k < dimensions; ++k) all = product_of_sizes(all, sizes[k]);
    return all;
  }
  /// Row-major and without padding.
  bool contiguous() const noexcept {
    index stride = 1;
    for (std::size_t k = dimensions; k-- > 0;) {
      if (!steps_by(sizes[k], strides[k], stride)) return numbers() == 0;
      stride = product_of_sizes(stride, sizes[k]);
    }
    return true;
  }
  /// The last dimension are the classes, the others are rows. At least two dimensions.
  views_of_rows<T> rows() const noexcept {
    const std::size_t last = dimensions - 1;
    strided_array order{data};
    order.add(1, 0), order.add(sizes[last], strides[last]);
    for (std::size_t k = 0; k < last; ++k) order.add(sizes[k], strides[k]);
    return order.pixels();
  }
  /// N x C x H x W, of any number of sizes after C.
  views_of_rows<T> pixels() const noexcept {
    return view_from_strides(data, std::span<const index>(sizes).first(dimensions),
                             std::span<const index>(strides).first(dimensions));
  }
};

/// "4 x 3", for an error.
class sizes_text {
 public:
  sizes_text(std::array<index, strided_array<int>::most> const& sizes, std::size_t dimensions) noexcept {
    std::size_t at = 0;
    for (std::size_t k = 0; k < dimensions && at < sizeof text_; ++k)
      at += std::size_t(std::snprintf(text_ + at, sizeof text_ - at, k ? " x %jd" : "%jd", std::intmax_t(sizes[k])));
  }
  const char* c_str() const noexcept { return text_; }

 private:
  char text_[160] = "none";
};

/// Fails with "rows_of: tensor of 4 x 3 with strides 1 x 4 ...".
template <class T>
[[noreturn]] void fail_strides(const char* function, const char* name, strided_array<T> const& a, const char* what) {
  fail("%s: %s is %s with strides %s, %s", function, name, sizes_text(a.sizes, a.dimensions).c_str(),
       sizes_text(a.strides, a.dimensions).c_str(), what);
}
template <class T>
void require_dimensions(const char* function, const char* name, strided_array<T> const& a, std::size_t least) {
  if (a.dimensions < least)
    fail("%s: %s has %zu dimensions, must have at least %zu", function, name, a.dimensions, least);
}
/// Fails unless the sizes are those of memory that can exist; data may be null where there are no numbers.
template <class T>
void require_array(const char* function, const char* name, strided_array<T> const& a) {
  for (std::size_t k = 0; k < a.dimensions; ++k)
    if (a.sizes[k] < 0) fail_strides(function, name, a, "sizes must not be negative");
  if (a.numbers() > max_numbers) fail_strides(function, name, a, "more than memory can hold");
  if (!a.data && a.numbers() > 0) fail_strides(function, name, a, "but has no data");
  if (reinterpret_cast<std::uintptr_t>(a.data) % alignof(T) != 0)
    fail("%s: %s begins at an address that is no multiple of %zu bytes", function, name, alignof(T));
}

template <class T>
matrix_view<T> rows_in_matrix(const char* function, const char* name, strided_array<T> const& a) {
  require_dimensions(function, name, a, 2);
  const auto views = a.rows();
  if (!views.matrix)
    fail_strides(function, name, a,
                 views.image ? "column-major: read it in place with column_major_rows_of or visit_rows"
                             : "rows must be contiguous and equally far apart: make a contiguous copy");
  return *views.matrix;
}
template <class T>
image_view<T> rows_in_image(const char* function, const char* name, strided_array<T> const& a) {
  require_dimensions(function, name, a, 2);
  const auto views = a.rows();
  if (!views.image)
    fail_strides(function, name, a,
                 views.matrix ? "row-major: read it in place with rows_of or visit_rows"
                              : "columns must be contiguous, without padding: make a contiguous copy");
  return *views.image;
}
template <class T>
image_view<T> pixels_in_image(const char* function, const char* name, strided_array<T> const& a) {
  require_dimensions(function, name, a, 3);
  const auto views = a.pixels();
  if (!views.image)
    fail_strides(function, name, a,
                 views.matrix ? "channels last: read it in place with channels_last_pixels_of or visit_pixels"
                              : "N x C x H x W must be contiguous in this order: make a contiguous copy");
  return *views.image;
}
template <class T>
matrix_view<T> pixels_in_matrix(const char* function, const char* name, strided_array<T> const& a) {
  require_dimensions(function, name, a, 3);
  const auto views = a.pixels();
  if (!views.matrix)
    fail_strides(function, name, a,
                 views.image ? "channels first: read it in place with pixels_of or visit_pixels"
                             : "channels must be contiguous and pixels equally far apart: make a contiguous copy");
  return *views.matrix;
}
/// Calls f with the view that there is, a matrix_view where there are both.
template <class T, class F>
decltype(auto) with_rows(const char* function, const char* name, strided_array<T> const& a, F&& f) {
  require_dimensions(function, name, a, 2);
  if (const auto views = a.rows(); views.image && !views.matrix) return std::forward<F>(f)(*views.image);
  return std::forward<F>(f)(rows_in_matrix(function, name, a));
}
template <class T, class F>
decltype(auto) with_pixels(const char* function, const char* name, strided_array<T> const& a, F&& f) {
  require_dimensions(function, name, a, 3);
  if (const auto views = a.pixels(); views.matrix && !views.image) return std::forward<F>(f)(*views.matrix);
  return std::forward<F>(f)(pixels_in_image(function, name, a));
}
/// Numbers in row-major order without padding, of any shape.
template <class T>
std::span<T> contiguous_numbers(const char* function, const char* name, strided_array<T> const& a) {
  if (!a.contiguous()) fail_strides(function, name, a, "must be contiguous: make a contiguous copy");
  return std::span<T>(a.data, static_cast<std::size_t>(a.numbers()));
}
/// The same as a parameter or a gradient: the first size are the rows.
template <class T>
tensor<T> contiguous_tensor(const char* function, const char* name, strided_array<T> const& a) {
  const auto numbers = contiguous_numbers(function, name, a);
  if (a.dimensions < 2) return {numbers.data(), numbers.size()};
  index columns = 1;
  for (std::size_t k = 1; k < a.dimensions; ++k) columns = product_of_sizes(columns, a.sizes[k]);
  return {numbers.data(), a.sizes[0], columns};
}

}  // namespace hone::inline HONE_ABI::detail

#include <hone/core/macros_pop.hpp>
