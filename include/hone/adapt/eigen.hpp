// SPDX-License-Identifier: MIT
/// Views of Eigen's matrices, arrays, maps, references and blocks, in place.
///
///     Eigen::MatrixXf logits, gradient;  // column-major, a row per sample
///     Eigen::VectorXi labels;
///     hone::evaluate(cpu, hone::cross_entropy(hone::classes(labels)), hone::adapt::rows_of(logits),
///                    {.gradient = hone::adapt::rows_of(gradient)});
///
/// The storage order is part of an Eigen type, and chooses the view. Numbers are float, double, Eigen::half or
/// Eigen::bfloat16. What is const gives a view of const. A temporary that owns its numbers, and an expression that has
/// none in memory, do not compile; strides that no view has throw hone::invalid_argument.
#pragma once

#include <hone/adapt/layout/strides.hpp>
#include <hone/core/tensor_list.hpp>
#include <hone/cpu/memory/eigen_views.hpp>

#include <Eigen/Core>

#include <concepts>
#include <cstddef>
#include <span>
#include <type_traits>

#include <hone/core/macros_push.hpp>

namespace hone::inline HONE_ABI {
namespace detail {

/// What Eigen calls dense: Matrix, Array, Map, Ref, Block, Transpose, and expressions.
template <class Dense>
void take_eigen_dense(Eigen::DenseBase<Dense> const&);
template <class X>
concept eigen_dense = requires(X const& x) { take_eigen_dense(x); };

/// True for what has numbers of its own. Ref<const M> is one: it copies what does not fit.
template <class X>
inline constexpr bool eigen_owner = std::derived_from<X, Eigen::PlainObjectBase<X>>;
template <class M, int Options, class Stride>
inline constexpr bool eigen_owner<Eigen::Ref<const M, Options, Stride>> = true;

/// Refuses expressions and temporaries at compile time; the numbers are then in memory that outlives the call.
template <class X>
constexpr void require_eigen_memory() {
  using type = std::remove_cvref_t<X>;
  static_assert((type::Flags & Eigen::DirectAccessBit) != 0,
                "hone::adapt: an expression of Eigen has no numbers in memory: evaluate it into a matrix with a name");
  require_no_temporary<std::is_lvalue_reference_v<X> || !eigen_owner<type>>();
}

template <class X>
using eigen_number = std::remove_pointer_t<decltype(std::declval<std::remove_reference_t<X>&>().data())>;

template <class X>
strided_matrix<eigen_number<X>> strides_of_eigen(X& x) noexcept {
  return {x.data(), x.rows(), x.cols(), x.rowStride(), x.colStride()};
}

/// The matrix as it lies in memory: the columns of a column-major one are its rows.
template <class X>
auto memory_order_of_eigen(X& x) noexcept {
  const auto m = strides_of_eigen(x);
  if constexpr (X::IsRowMajor)
    return m;
  else
    return m.transposed();
}

template <class X>
auto eigen_vector(const char* function, const char* name, X& x) {
  static_assert(std::remove_cvref_t<X>::IsVectorAtCompileTime,
                "hone::adapt: labels and weights are a vector of Eigen: one row or one column at compile time");
  require_side_by_side(function, name, x.size(), x.innerStride());
  return std::span(x.data(), static_cast<std::size_t>(x.size()));
}

}  // namespace detail

namespace adapt {

/// A row is a sample. Row-major, and vectors: a matrix_view, rows of a block included. Column-major: an image_view of
/// one image whose pixels are the rows; its outer stride must be the number of rows. Throws hone::invalid_argument.
template <hone::detail::eigen_dense X>
auto rows_of(X&& x) {
  using type = std::remove_cvref_t<X>;
  hone::detail::require_eigen_memory<X>();
  hone::detail::require_view_of<hone::detail::eigen_number<X>>();
  if constexpr (type::IsRowMajor || type::IsVectorAtCompileTime)
    return hone::detail::matrix_from_strides("rows_of", "matrix", hone::detail::strides_of_eigen(x));
  else
    return hone::detail::image_from_strides("rows_of", "matrix", hone::detail::strides_of_eigen(x));
}

/// A column is a sample: rows_of the transposed matrix. Column-major gives a matrix_view, row-major an image_view.
template <hone::detail::eigen_dense X>
auto columns_of(X&& x) {
  using type = std::remove_cvref_t<X>;
  hone::detail::require_eigen_memory<X>();
  hone::detail::require_view_of<hone::detail::eigen_number<X>>();
  if constexpr (!type::IsRowMajor || type::IsVectorAtCompileTime)
    return hone::detail::matrix_from_strides("columns_of", "transposed matrix",
                                             hone::detail::strides_of_eigen(x).transposed());
  else
    return hone::detail::image_from_strides("columns_of", "transposed matrix",
                                            hone::detail::strides_of_eigen(x).transposed());
}

/// A vector of integers: what hone::classes takes. Throws hone::invalid_argument if they do not lie side by side.
template <hone::detail::eigen_dense X>
auto labels_of(X&& x) {
  hone::detail::require_eigen_memory<X>();
  hone::detail::require_labels_of<hone::detail::eigen_number<X>>();
  using label = std::remove_const_t<hone::detail::eigen_number<X>>;
  return std::span<const label>(hone::detail::eigen_vector("labels_of", "vector", x));
}

/// A vector of float or double: weights of rows and classes, or λ. Throws as labels_of does.
template <hone::detail::eigen_dense X>
auto weights_of(X&& x) {
  hone::detail::require_eigen_memory<X>();
  hone::detail::require_view_of<hone::detail::eigen_number<X>>();
  using number = std::remove_const_t<hone::detail::eigen_number<X>>;
  return std::span<const number>(hone::detail::eigen_vector("weights_of", "vector", x));
}

/// A parameter or a gradient, in the order of its memory. The tensor's rows are the rows of a row-major matrix and the
/// columns of a column-major one: for agc_units of y = W x, out x in, use hone::agc_units::rows if W is row-major and
/// hone::agc_units::columns if it is column-major. Throws hone::invalid_argument if the numbers are not contiguous.
template <hone::detail::eigen_dense X>
tensor<hone::detail::eigen_number<X>> tensor_of(X&& x) {
  hone::detail::require_eigen_memory<X>();
  hone::detail::require_view_of<hone::detail::eigen_number<X>>();
  return hone::detail::tensor_from_strides("tensor_of", "matrix", hone::detail::memory_order_of_eigen(x));
}

/// The list of tensor_of of each: the parameters of a network, or its gradients in the same order. Make it again after
/// a matrix was resized.
template <hone::detail::eigen_dense First, hone::detail::eigen_dense... Others>
auto tensors_of(First&& first, Others&&... others) {
  return hone::detail::list_of_tensors(tensor_of(std::forward<First>(first)),
                                       tensor_of(std::forward<Others>(others))...);
}

}  // namespace adapt
}  // namespace hone::inline HONE_ABI

#include <hone/core/macros_pop.hpp>
