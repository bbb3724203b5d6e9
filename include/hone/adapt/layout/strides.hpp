// SPDX-License-Identifier: MIT
/// What the adapters of array libraries share: which view reads numbers that lie at given strides, in place.
#pragma once

#include <hone/core/error.hpp>
#include <hone/core/tensor_list.hpp>
#include <hone/core/view.hpp>

#include <optional>
#include <span>
#include <type_traits>

#include <hone/core/macros_push.hpp>

namespace hone::inline HONE_ABI::detail {

/// A matrix whose numbers are `row_stride` elements apart from row to row and `column_stride` from column to column.
template <class T>
struct strided_matrix {
  T* data = nullptr;
  index rows = 0, columns = 0;
  index row_stride = 0, column_stride = 0;

  constexpr bool empty() const noexcept { return rows <= 0 || columns <= 0; }
  constexpr strided_matrix transposed() const noexcept { return {data, columns, rows, column_stride, row_stride}; }
};

/// The views that read the same numbers in the same order of rows without a copy: one, both or none of them.
template <class T>
struct views_of_rows {
  std::optional<matrix_view<T>> matrix;
  std::optional<image_view<T>> image;
};

/// Returns true if a step between `size` places is not taken, or is `expected`.
constexpr bool steps_by(index size, index stride, index expected) noexcept { return size <= 1 || stride == expected; }

/// A row is a sample. A row-major matrix, padded or not, is a matrix_view; a column-major one without padding is an
/// image_view of one image whose pixels are the rows. Strides of sizes of 0 and 1 do not count.
template <class T>
constexpr views_of_rows<T> view_from_strides(strided_matrix<T> m) noexcept {
  views_of_rows<T> views;
  if (m.empty() || (steps_by(m.columns, m.column_stride, 1) && (m.rows <= 1 || m.row_stride >= m.columns)))
    views.matrix = matrix_view<T>{m.data, m.rows, m.columns, m.empty() || m.rows <= 1 ? m.columns : m.row_stride};
  if (m.empty() || (steps_by(m.rows, m.row_stride, 1) && steps_by(m.columns, m.column_stride, m.rows)))
    views.image = image_view<T>{m.data, 1, m.columns, m.rows};
  return views;
}

/// A pixel is a sample. `sizes` are images, channels and any number of sizes of an image, `strides` are in elements. In
/// the order N x C x H x W, without padding, it is an image_view; in that of N x H x W x C in memory ("channels last"),
/// a matrix_view of a row per pixel, whose rows may be padded. Fewer than two sizes have no view.
template <class T>
constexpr views_of_rows<T> view_from_strides(T* data, std::span<const index> sizes,
                                             std::span<const index> strides) noexcept {
  views_of_rows<T> views;
  if (sizes.size() < 2 || strides.size() != sizes.size()) return views;
  const index images = sizes[0], channels = sizes[1];
  index pixels = 1, pixel_stride = 0;  // the stride of all pixels, if the sizes of an image lie one in the other
  bool nested = true, empty = images == 0 || channels == 0;
  for (std::size_t k = sizes.size(); k-- > 2;) {
    if (sizes[k] == 1) continue;
    if (pixels == 1)
      pixel_stride = strides[k];
    else
      nested = nested && strides[k] == product_of_sizes(pixel_stride, pixels);
    pixels = product_of_sizes(pixels, sizes[k]);
    empty = empty || sizes[k] == 0;
  }
  const index rows = product_of_sizes(images, pixels), numbers = product_of_sizes(channels, pixels);
  if (empty) {
    views.matrix = matrix_view<T>{data, rows, channels};
    views.image = image_view<T>{data, images, channels, pixels};
  } else if (nested) {
    if (steps_by(pixels, pixel_stride, 1) && steps_by(channels, strides[1], pixels) &&
        steps_by(images, strides[0], numbers))
      views.image = image_view<T>{data, images, channels, pixels};
    const index row_stride = pixels > 1 ? pixel_stride : images > 1 ? strides[0] : channels;
    if (steps_by(channels, strides[1], 1) && row_stride >= channels &&
        steps_by(images, strides[0], product_of_sizes(row_stride, pixels)))
      views.matrix = matrix_view<T>{data, rows, channels, row_stride};
  }
  return views;
}

/// Return the view that a storage order known before gives, or fail: "rows_of: matrix is …".
template <class T>
matrix_view<T> matrix_from_strides(const char* function, const char* name, strided_matrix<T> m) {
  if (const auto views = view_from_strides(m); views.matrix) return *views.matrix;
  fail(
      "%s: %s is %jd x %jd with %jd elements from row to row and %jd from column to column; a matrix_view needs "
      "columns side by side and rows that do not overlap: copy it into a matrix of its own",
      function, name, std::intmax_t(m.rows), std::intmax_t(m.columns), std::intmax_t(m.row_stride),
      std::intmax_t(m.column_stride));
}
template <class T>
image_view<T> image_from_strides(const char* function, const char* name, strided_matrix<T> m) {
  if (const auto views = view_from_strides(m); views.image) return *views.image;
  fail(
      "%s: %s is %jd x %jd with %jd elements from row to row and %jd from column to column; an image_view needs rows "
      "side by side and columns without padding: copy it into a matrix of its own",
      function, name, std::intmax_t(m.rows), std::intmax_t(m.columns), std::intmax_t(m.row_stride),
      std::intmax_t(m.column_stride));
}

/// Returns a matrix without padding as a tensor, in the order of its memory: `m` has its columns side by side.
template <class T>
tensor<T> tensor_from_strides(const char* function, const char* name, strided_matrix<T> m) {
  const auto view = matrix_from_strides(function, name, m);
  if (view.row_stride != view.columns && !m.empty())
    fail(
        "%s: %s has %jd numbers side by side and %jd from there to the next, must be the same: a tensor has no padding",
        function, name, std::intmax_t(view.columns), std::intmax_t(view.row_stride));
  return {view.data, view.rows, view.columns};
}
/// The list of tensors of one number type; of const if one of them is.
template <class First, class... Others>
auto list_of_tensors(tensor<First> first, tensor<Others>... others) {
  static_assert((std::is_same_v<std::remove_const_t<First>, std::remove_const_t<Others>> && ...),
                "tensors_of: all tensors have one number type");
  constexpr bool read_only = (std::is_const_v<First> || ... || std::is_const_v<Others>);
  return tensor_list<std::conditional_t<read_only, const First, First>>{first, others...};
}

/// Fails unless `size` numbers lie side by side.
inline void require_side_by_side(const char* function, const char* name, index size, index stride) {
  if (size > 1 && stride != 1)
    fail("%s: %s has %jd numbers that are %jd elements apart, must lie side by side: copy them into a vector", function,
         name, std::intmax_t(size), std::intmax_t(stride));
}

/// Refuses at compile time numbers that no view has.
template <class T>
constexpr void require_view_of() {
  static_assert(element<std::remove_const_t<T>>,
                "hone::adapt: the numbers must be float, double or a 16-bit floating-point type: convert others first, "
                "and take integers with labels_of");
}
template <class T>
constexpr void require_labels_of() {
  static_assert(std::integral<std::remove_const_t<T>> && !std::is_same_v<std::remove_const_t<T>, bool>,
                "hone::adapt: labels must be integers: the numbers of classes");
}
/// Refuses at compile time a temporary whose numbers end with it.
template <bool Outlives>
constexpr void require_no_temporary() {
  static_assert(
      Outlives,
      "hone::adapt: the argument is a temporary that owns its numbers, and a view would outlive them: give it "
      "a name first");
}

}  // namespace hone::inline HONE_ABI::detail

#include <hone/core/macros_pop.hpp>
