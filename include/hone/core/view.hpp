// SPDX-License-Identifier: MIT
/// Non-owning views of the caller's numbers: matrices and images.
#pragma once

#include <hone/core/number.hpp>

#include <concepts>
#include <type_traits>

#include <hone/core/macros_push.hpp>

namespace hone::inline HONE_ABI {

/// A row-major rows × columns matrix of T. Row i starts at data + i · row_stride. The numbers between
/// columns and row_stride are padding, never read and never written. Converts to its const T form.
template <class T>
struct matrix_view {
  T* data = nullptr;
  index rows = 0;
  index columns = 0;
  index row_stride = 0;  ///< in elements, >= columns

  constexpr matrix_view() noexcept = default;

  constexpr matrix_view(T* data_, std::integral auto rows_, std::integral auto columns_) noexcept
      : matrix_view(data_, rows_, columns_, columns_) {}

  constexpr matrix_view(T* data_, std::integral auto rows_, std::integral auto columns_,
                        std::integral auto row_stride_) noexcept
      : data(data_),
        rows(static_cast<index>(rows_)),
        columns(static_cast<index>(columns_)),
        row_stride(static_cast<index>(row_stride_)) {}

  template <class U>
    requires std::same_as<const U, T>
  constexpr matrix_view(matrix_view<U> const& other) noexcept
      : matrix_view(other.data, other.rows, other.columns, other.row_stride) {}

  HONE_HD constexpr T* row(index i) const noexcept { return data + i * row_stride; }

  /// Returns true if both view the same memory in the same shape.
  friend constexpr bool operator==(matrix_view const&, matrix_view const&) noexcept = default;
};

/// Per-pixel numbers in the layout of a convolution's output: images × channels × pixels, contiguous (N x C x H x W
/// with pixels = H · W). As a matrix it has images · pixels rows and channels columns: row n · pixels + p is
/// pixel p of image n. No copy is made. Converts to its const T form.
template <class T>
struct image_view {
  T* data = nullptr;
  index images = 0;
  index channels = 0;
  index pixels = 0;

  constexpr image_view() noexcept = default;

  constexpr image_view(T* data_, std::integral auto images_, std::integral auto channels_,
                       std::integral auto pixels_) noexcept
      : data(data_),
        images(static_cast<index>(images_)),
        channels(static_cast<index>(channels_)),
        pixels(static_cast<index>(pixels_)) {}

  constexpr image_view(T* data_, std::integral auto images_, std::integral auto channels_, std::integral auto height,
                       std::integral auto width) noexcept
      : image_view(data_, images_, channels_,
                   detail::product_of_sizes(static_cast<index>(height), static_cast<index>(width))) {}

  template <class U>
    requires std::same_as<const U, T>
  constexpr image_view(image_view<U> const& other) noexcept
      : image_view(other.data, other.images, other.channels, other.pixels) {}

  /// Returns true if both view the same memory in the same shape.
  friend constexpr bool operator==(image_view const&, image_view const&) noexcept = default;
};

namespace detail {

template <class T>
constexpr matrix_view<const T> const_view(matrix_view<T> v) noexcept {
  return v;
}
template <class T>
constexpr image_view<const T> const_view(image_view<T> v) noexcept {
  return v;
}
/// A matrix_view or an image_view.
template <class View>
concept any_view = requires(View v) { const_view(v); };

/// Returns rows [first, first + count) of a matrix.
template <class T>
constexpr matrix_view<T> part_of_rows(matrix_view<T> v, index first, index count) noexcept {
  return {v.data ? v.row(first) : nullptr, count, v.columns, v.row_stride};
}

/// The number type of a view, without const.
template <class View>
using number_of = std::remove_const_t<std::remove_pointer_t<decltype(View::data)>>;

}  // namespace detail

static_assert(std::is_trivially_copyable_v<matrix_view<float>> && std::is_trivially_copyable_v<image_view<float>>);

}  // namespace hone::inline HONE_ABI

#include <hone/core/macros_pop.hpp>
