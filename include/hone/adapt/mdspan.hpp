// SPDX-License-Identifier: MIT
/// Views of what is shaped like std::mdspan: that of C++23, of Kokkos, or any type with data_handle(), rank(),
/// extent(k) and stride(k). No header of them is needed.
///
///     std::mdspan<float, std::dextents<std::size_t, 2>> logits, gradient;  // a row per sample
///     hone::evaluate(cpu, hone::cross_entropy(hone::classes(labels)), hone::adapt::rows_of(logits),
///                    {.gradient = hone::adapt::rows_of(gradient)});
///
/// A layout that is made from its extents, as layout_right and layout_left are, has one storage order, which chooses
/// the view at compile time. layout_stride has any: rows_of is then a matrix_view, or fails, and visit_rows takes both.
/// Strides that no view has throw hone::invalid_argument. Numbers that are const give views of const.
#pragma once

#include <hone/adapt/layout/strided_array.hpp>

#include <concepts>
#include <cstddef>
#include <type_traits>
#include <utility>

#include <hone/core/macros_push.hpp>

namespace hone::inline HONE_ABI {
namespace detail {

/// True unless an accessor changes the numbers that it reads, as that of std::linalg::scaled does.
template <class M>
inline constexpr bool plain_accessor = true;
template <class M>
  requires requires { typename M::accessor_type; }
inline constexpr bool plain_accessor<M> =
    std::is_same_v<typename M::accessor_type::reference, typename M::accessor_type::element_type&>;

/// Its numbers are behind a pointer, and every dimension has a stride.
template <class M>
concept mdspan_shaped = requires(M const& m) {
  requires std::is_pointer_v<std::remove_cvref_t<decltype(m.data_handle())>>;
  { M::rank() } -> std::convertible_to<std::size_t>;
  { m.extent(0) } -> std::convertible_to<index>;
  { m.stride(0) } -> std::convertible_to<index>;
};
template <mdspan_shaped M>
using mdspan_number = std::remove_pointer_t<std::remove_cvref_t<decltype(std::declval<M const&>().data_handle())>>;

enum class mdspan_order : unsigned char { any, right, left };

/// An extent that is not 0 or 1 unless it is so in the type.
template <class Extents>
constexpr std::size_t probed_extent(std::size_t k, std::size_t otherwise) noexcept {
  const auto fixed = static_cast<std::size_t>(Extents::static_extent(k));
  return fixed == static_cast<std::size_t>(-1) ? otherwise : fixed;
}
/// The storage order of a layout of two dimensions, from the strides that it gives to other extents of the type.
template <class M>
constexpr mdspan_order order_of_mdspan() noexcept {
  if constexpr (M::rank() == 2 && requires {
                  typename M::mapping_type;
                  typename M::mapping_type::extents_type;
                  requires std::constructible_from<typename M::mapping_type, typename M::mapping_type::extents_type>;
                }) {
    using extents = typename M::mapping_type::extents_type;
    const typename M::mapping_type mapping(extents(probed_extent<extents>(0, 2), probed_extent<extents>(1, 3)));
    return mapping.stride(1) == 1   ? mdspan_order::right
           : mapping.stride(0) == 1 ? mdspan_order::left
                                    : mdspan_order::any;
  } else {
    return mdspan_order::any;
  }
}

template <mdspan_shaped M>
strided_array<mdspan_number<M>> array_of_mdspan(const char* function, M const& m) {
  static_assert(plain_accessor<M>,
                "hone::adapt: the accessor of this mdspan changes the numbers that it reads: copy them into an array");
  static_assert(M::rank() <= 32, "hone::adapt: an mdspan has at most 32 dimensions");
  if constexpr (requires { m.is_strided(); })
    if (!m.is_strided()) fail("%s: mdspan has a layout without strides: copy it into one of layout_right", function);
  strided_array<mdspan_number<M>> a{m.data_handle()};
  for (std::size_t k = 0; k < M::rank(); ++k) a.add(index(m.extent(k)), index(m.stride(k)));
  require_array(function, "mdspan", a);
  return a;
}

}  // namespace detail

namespace adapt {

/// The last dimension are the classes, all others are rows. A matrix_view; of layout_left of two dimensions an
/// image_view of one image whose pixels are the rows.
template <hone::detail::mdspan_shaped M>
auto rows_of(M const& m) {
  static_assert(M::rank() >= 2, "rows_of: an mdspan of rows has at least two dimensions");
  hone::detail::require_view_of<hone::detail::mdspan_number<M>>();
  const auto a = hone::detail::array_of_mdspan("rows_of", m);
  if constexpr (hone::detail::order_of_mdspan<M>() == hone::detail::mdspan_order::left)
    return hone::detail::rows_in_image("rows_of", "mdspan", a);
  else
    return hone::detail::rows_in_matrix("rows_of", "mdspan", a);
}

/// The same of any layout whose strides are column-major: an image_view of one image whose pixels are the rows.
template <hone::detail::mdspan_shaped M>
auto column_major_rows_of(M const& m) {
  constexpr const char* function = "column_major_rows_of";
  static_assert(M::rank() >= 2, "column_major_rows_of: an mdspan of rows has at least two dimensions");
  hone::detail::require_view_of<hone::detail::mdspan_number<M>>();
  return hone::detail::rows_in_image(function, "mdspan", hone::detail::array_of_mdspan(function, m));
}

/// Two dimensions, a column is a sample: rows_of the transposed matrix. layout_left gives a matrix_view, layout_right
/// an image_view, layout_stride a matrix_view or an error.
template <hone::detail::mdspan_shaped M>
auto columns_of(M const& m) {
  static_assert(M::rank() == 2, "columns_of: an mdspan of columns has two dimensions");
  hone::detail::require_view_of<hone::detail::mdspan_number<M>>();
  auto a = hone::detail::array_of_mdspan("columns_of", m);
  std::swap(a.sizes[0], a.sizes[1]), std::swap(a.strides[0], a.strides[1]);
  if constexpr (hone::detail::order_of_mdspan<M>() == hone::detail::mdspan_order::right)
    return hone::detail::rows_in_image("columns_of", "transposed mdspan", a);
  else
    return hone::detail::rows_in_matrix("columns_of", "transposed mdspan", a);
}

/// N x C x H x W, with any number of dimensions after C, in layout_right or with strides to that effect: an image_view.
template <hone::detail::mdspan_shaped M>
auto pixels_of(M const& m) {
  static_assert(M::rank() >= 3, "pixels_of: an mdspan of images has at least three dimensions");
  hone::detail::require_view_of<hone::detail::mdspan_number<M>>();
  return hone::detail::pixels_in_image("pixels_of", "mdspan", hone::detail::array_of_mdspan("pixels_of", m));
}

/// The same shape with channels last in memory: a matrix_view of a row per pixel.
template <hone::detail::mdspan_shaped M>
auto channels_last_pixels_of(M const& m) {
  constexpr const char* function = "channels_last_pixels_of";
  static_assert(M::rank() >= 3, "channels_last_pixels_of: an mdspan of images has at least three dimensions");
  hone::detail::require_view_of<hone::detail::mdspan_number<M>>();
  return hone::detail::pixels_in_matrix(function, "mdspan", hone::detail::array_of_mdspan(function, m));
}

/// Contiguous integers of any shape, in row-major order: what hone::classes takes.
template <hone::detail::mdspan_shaped M>
auto labels_of(M const& m) {
  using label = std::remove_const_t<hone::detail::mdspan_number<M>>;
  hone::detail::require_labels_of<label>();
  return std::span<const label>(
      hone::detail::contiguous_numbers("labels_of", "mdspan", hone::detail::array_of_mdspan("labels_of", m)));
}

/// A parameter or a gradient: contiguous and row-major, the first dimension are the rows.
template <hone::detail::mdspan_shaped M>
auto tensor_of(M const& m) {
  hone::detail::require_view_of<hone::detail::mdspan_number<M>>();
  return hone::detail::contiguous_tensor("tensor_of", "mdspan", hone::detail::array_of_mdspan("tensor_of", m));
}

/// Calls f with the matrix_view or the image_view of the rows, whichever the strides have.
template <hone::detail::mdspan_shaped M, class F>
decltype(auto) visit_rows(M const& m, F&& f) {
  static_assert(M::rank() >= 2, "visit_rows: an mdspan of rows has at least two dimensions");
  hone::detail::require_view_of<hone::detail::mdspan_number<M>>();
  return hone::detail::with_rows("visit_rows", "mdspan", hone::detail::array_of_mdspan("visit_rows", m),
                                 std::forward<F>(f));
}
/// The same for the pixels of N x C x H x W, or with channels last in memory.
template <hone::detail::mdspan_shaped M, class F>
decltype(auto) visit_pixels(M const& m, F&& f) {
  static_assert(M::rank() >= 3, "visit_pixels: an mdspan of images has at least three dimensions");
  hone::detail::require_view_of<hone::detail::mdspan_number<M>>();
  return hone::detail::with_pixels("visit_pixels", "mdspan", hone::detail::array_of_mdspan("visit_pixels", m),
                                   std::forward<F>(f));
}

}  // namespace adapt
}  // namespace hone::inline HONE_ABI

#include <hone/core/macros_pop.hpp>
