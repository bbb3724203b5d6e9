// SPDX-License-Identifier: MIT
/// Views of Armadillo's matrices, vectors, cubes and submatrices, in place. They are column-major, and mostly have a
/// column per sample: columns_of gives the same bytes as rows of hone.
///
///     arma::fmat logits, gradient;  // classes x samples
///     arma::Row<std::size_t> labels;
///     hone::evaluate(cpu, hone::cross_entropy(hone::classes(hone::adapt::labels_of(labels))),
///                    hone::adapt::columns_of(logits), {.gradient = hone::adapt::columns_of(gradient)});
///
/// Numbers are float or double. What is const gives a view of const. A temporary matrix, and an expression such as
/// X.t(), do not compile; strides that no view has throw hone::invalid_argument.
#pragma once

#include <hone/adapt/layout/strides.hpp>

#include <armadillo>

#include <cstddef>
#include <span>
#include <type_traits>
#include <utility>

#include <hone/core/macros_push.hpp>

namespace hone::inline HONE_ABI {
namespace detail {

template <class E, class Dense>
void take_arma_dense(arma::Base<E, Dense> const&);
/// A matrix, a vector, a submatrix or an expression of these.
template <class X>
concept arma_dense = requires(X const& x) { take_arma_dense(x); };
template <class E>
void take_arma_cube(arma::Cube<E> const&);
template <class X>
concept arma_cube = requires(X const& x) { take_arma_cube(x); };

/// The numbers of a matrix or of a submatrix. That of a const matrix is const, too, but holds no const pointer.
template <class E>
strided_matrix<E> strides_of_arma(arma::Mat<E>& x) noexcept {
  return {x.memptr(), index(x.n_rows), index(x.n_cols), 1, index(x.n_rows)};
}
template <class E>
strided_matrix<const E> strides_of_arma(arma::Mat<E> const& x) noexcept {
  return {x.memptr(), index(x.n_rows), index(x.n_cols), 1, index(x.n_rows)};
}
template <class E>
strided_matrix<E> strides_of_arma(arma::subview<E>& x) noexcept {
  return {x.n_elem == 0 ? nullptr : x.colptr(0), index(x.n_rows), index(x.n_cols), 1, index(x.m.n_rows)};
}
template <class E>
strided_matrix<const E> strides_of_arma(arma::subview<E> const& x) noexcept {
  return {x.n_elem == 0 ? nullptr : x.colptr(0), index(x.n_rows), index(x.n_cols), 1, index(x.m.n_rows)};
}
template <class E>
void take_arma_owner(arma::Mat<E> const&);
template <class X>
concept arma_owner = requires(X const& x) { take_arma_owner(x); } || arma_cube<X>;

/// Returns where the numbers are; refuses expressions and temporaries at compile time.
template <class X>
auto arma_memory(std::remove_reference_t<X>& x) noexcept {
  constexpr bool in_memory = requires { strides_of_arma(x); };
  static_assert(in_memory,
                "hone::adapt: an expression of Armadillo has no numbers in memory: evaluate it into a matrix with a "
                "name, and take the columns of X where you would take the rows of X.t()");
  require_no_temporary<std::is_lvalue_reference_v<X> || !arma_owner<X>>();
  if constexpr (in_memory)
    return strides_of_arma(x);
  else
    return strided_matrix<float>{};  // avoids further compiler errors
}
template <class X>
auto arma_numbers(std::remove_reference_t<X>& x) noexcept {
  const auto m = arma_memory<X>(x);
  require_view_of<std::remove_pointer_t<decltype(m.data)>>();
  return m;
}
template <class X>
inline constexpr bool is_arma_vector = std::remove_cvref_t<X>::is_col || std::remove_cvref_t<X>::is_row;

template <class T>
auto arma_vector(const char* function, strided_matrix<T> m) {
  if (!(m.rows == 1 || m.columns == 1 || m.empty()))
    fail("%s: vector is %jd x %jd, must be one row or one column", function, std::intmax_t(m.rows),
         std::intmax_t(m.columns));
  require_side_by_side(function, "vector", m.rows * m.columns, m.columns > 1 ? m.column_stride : 1);
  return std::span<const T>(m.data, static_cast<std::size_t>(m.rows * m.columns));
}

/// Images of this many channels in columns of `features` numbers.
template <class T>
image_view<T> images_in_columns(matrix_view<T> samples, index channels) {
  require(channels >= 1, "pixels_of", "channels", channels, "at least 1");
  if (samples.columns % channels != 0)
    fail("pixels_of: a column has %jd numbers, must be those of %jd channels", std::intmax_t(samples.columns),
         std::intmax_t(channels));
  if (samples.row_stride != samples.columns)
    fail(
        "pixels_of: columns of %jd numbers begin %jd apart, must have no padding: copy them into a matrix of their own",
        std::intmax_t(samples.columns), std::intmax_t(samples.row_stride));
  return {samples.data, samples.rows, channels, samples.columns / channels};
}

}  // namespace detail

namespace adapt {

/// A column is a sample: a matrix_view of the same bytes; columns of a submatrix included.
template <hone::detail::arma_dense X>
auto columns_of(X&& x) {
  return hone::detail::matrix_from_strides("columns_of", "transposed matrix",
                                           hone::detail::arma_numbers<X>(x).transposed());
}

/// A row is a sample: an image_view of one image whose pixels are the rows, of a matrix or of some of its columns; of
/// Col and Row a matrix_view. Some of the rows of a matrix have no view: throws hone::invalid_argument.
template <hone::detail::arma_dense X>
auto rows_of(X&& x) {
  const auto m = hone::detail::arma_numbers<X>(x);
  if constexpr (hone::detail::is_arma_vector<X>)
    return hone::detail::matrix_from_strides("rows_of", "vector", m);
  else
    return hone::detail::image_from_strides("rows_of", "matrix", m);
}

/// A column is an image: `channels` planes one after the other, of pixels in any order, as mlpack's convolutions have
/// them. An image_view of a column per image. Throws hone::invalid_argument if a column is no such image.
template <hone::detail::arma_dense X>
auto pixels_of(X&& x, integer channels) {
  return hone::detail::images_in_columns(
      hone::detail::matrix_from_strides("pixels_of", "transposed matrix",
                                        hone::detail::arma_numbers<X>(x).transposed()),
      channels);
}

/// A cube is an image, and a slice is a channel: an image_view of one image.
template <hone::detail::arma_cube X>
auto pixels_of(X&& x) {
  hone::detail::require_no_temporary<std::is_lvalue_reference_v<X>>();
  hone::detail::require_view_of<typename std::remove_cvref_t<X>::elem_type>();
  return image_view{x.memptr(), 1, x.n_slices, x.n_rows, x.n_cols};
}

/// A slice is a sample: a matrix_view of a row per slice, as blend takes images of one channel. Its height is n_cols
/// and its width n_rows, for the draw of a box.
template <hone::detail::arma_cube X>
auto slices_of(X&& x) {
  hone::detail::require_no_temporary<std::is_lvalue_reference_v<X>>();
  hone::detail::require_view_of<typename std::remove_cvref_t<X>::elem_type>();
  return matrix_view{x.memptr(), x.n_slices, x.n_rows * x.n_cols};
}

/// A Row or Col of integers, or a matrix of one row: what hone::classes takes. Labels in a matrix of double, as mlpack
/// has them, need a copy: arma::conv_to<arma::Row<std::size_t>>::from(y). Throws hone::invalid_argument for others.
template <hone::detail::arma_dense X>
auto labels_of(X&& x) {
  const auto m = hone::detail::arma_memory<X>(x);
  hone::detail::require_labels_of<std::remove_pointer_t<decltype(m.data)>>();
  return hone::detail::arma_vector("labels_of", m);
}

/// A Row or Col of float or double: weights of rows and classes, or λ. Throws as labels_of does.
template <hone::detail::arma_dense X>
auto weights_of(X&& x) {
  return hone::detail::arma_vector("weights_of", hone::detail::arma_numbers<X>(x));
}

/// A parameter or a gradient in the order of its memory: the tensor's rows are the matrix's columns. For adaptive_clip
/// of out x in weights use hone::agc_units::columns. Throws hone::invalid_argument if columns have padding.
template <hone::detail::arma_dense X>
auto tensor_of(X&& x) {
  return hone::detail::tensor_from_strides("tensor_of", "matrix", hone::detail::arma_numbers<X>(x).transposed());
}

/// The list of tensor_of of each: the parameters of a network, or its gradients in the same order. Make it again after
/// a matrix was resized or moved.
template <hone::detail::arma_dense First, hone::detail::arma_dense... Others>
auto tensors_of(First&& first, Others&&... others) {
  return hone::detail::list_of_tensors(tensor_of(std::forward<First>(first)),
                                       tensor_of(std::forward<Others>(others))...);
}

}  // namespace adapt
}  // namespace hone::inline HONE_ABI

#include <hone/core/macros_pop.hpp>
