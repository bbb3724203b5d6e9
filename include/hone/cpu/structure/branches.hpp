// SPDX-License-Identifier: MIT
/// The branches of channel attention on the CPU: from the means of the planes to the numbers of the gates, and back.
/// The products are Eigen's, on the calling thread.
#pragma once

#include <hone/cpu/memory/eigen_views.hpp>
#include <hone/structure/recalibration.hpp>

#include <Eigen/Core>

#include <algorithm>

#include <hone/core/macros_push.hpp>

namespace hone::inline HONE_ABI::on_cpu {

template <class A>
using row_major = Eigen::Matrix<std::remove_const_t<A>, Eigen::Dynamic, Eigen::Dynamic, Eigen::RowMajor>;

/// Returns rows [begin, end) of a matrix as Eigen's.
template <class A>
auto rows_as_eigen(matrix_view<A> v, index begin, index end) {
  using M = std::conditional_t<std::is_const_v<A>, row_major<A> const, row_major<A>>;
  return Eigen::Map<M, 0, Eigen::OuterStride<>>(v.row(begin), end - begin, v.columns,
                                                Eigen::OuterStride<>(std::max<index>(v.row_stride, 1)));
}
template <class A>
auto all_as_eigen(matrix_view<A> v) {
  return rows_as_eigen(v, 0, v.rows);
}
template <class A>
auto row_as_eigen(std::span<A> v) {
  using R = Eigen::Matrix<std::remove_const_t<A>, 1, Eigen::Dynamic>;
  return Eigen::Map<std::conditional_t<std::is_const_v<A>, R const, R>>(v.data(), static_cast<index>(v.size()));
}

/// to = left right, and to = Σ from over its rows: 0 without terms, where Eigen would add to a null pointer.
template <class To, class Left, class Right>
void set_product(To to, Left const& left, Right const& right) {
  if (left.cols() == 0)
    to.setZero();
  else
    to.noalias() = left * right;
}
template <class A>
void set_row_sum(std::span<A> to, matrix_view<A> from) {
  auto out = row_as_eigen(to);
  if (from.rows == 0)
    out.setZero();
  else
    out = all_as_eigen(from).colwise().sum();
}

/// to = from weightᵀ + bias, for images [begin, end).
template <class A, class W>
void product(matrix_view<A> from, matrix_view<W> weight, std::span<W> bias, matrix_view<A> to, index begin, index end) {
  auto out = rows_as_eigen(to, begin, end);
  set_product(out, rows_as_eigen(from, begin, end), all_as_eigen(weight).transpose());
  if (!bias.empty()) out.rowwise() += row_as_eigen(bias);
}
/// dfrom = dto weight, for images [begin, end).
template <class A, class W>
void product_backward(matrix_view<A> dto, matrix_view<W> weight, matrix_view<A> dfrom, index begin, index end) {
  set_product(rows_as_eigen(dfrom, begin, end), rows_as_eigen(dto, begin, end), all_as_eigen(weight));
}
/// dweight = dtoᵀ from and dbias = Σ dto, over all images.
template <class A>
void product_gradients(matrix_view<A> from, matrix_view<A> dto, matrix_view<A> dweight, std::span<A> dbias) {
  set_product(all_as_eigen(dweight), all_as_eigen(dto).transpose(), all_as_eigen(from));
  if (!dbias.empty()) set_row_sum(dbias, dto);
}

/// excite: `excited` of `squeezed`. excite_backward: the gradient by `squeezed` of that by `excited`. gradients: those
/// by the parameters, over all images.
template <class W, class Gate, class A>
void excite(squeeze_excite<W, Gate> const& b, recalibration_numbers<A> const& n, index begin, index end) {
  product(n.squeezed, b.reduce, b.reduce_bias, n.hidden, begin, end);
  detail::with_formula(b.activation, [&](auto f) {
    for (index i = begin; i < end; ++i)
      for (index c = 0; c < n.hidden.columns; ++c) n.activated.row(i)[c] = f(n.hidden.row(i)[c]).value;
  });
  product(n.activated, b.expand, b.expand_bias, n.excited, begin, end);
}
template <class W, class Gate, class A>
void excite_backward(squeeze_excite<W, Gate> const& b, recalibration_numbers<A> const& n,
                     recalibration_numbers<A> const& d, index begin, index end) {
  product_backward(d.excited, b.expand, d.activated, begin, end);
  detail::with_formula(b.activation, [&](auto f) {
    for (index i = begin; i < end; ++i)
      for (index c = 0; c < n.hidden.columns; ++c)
        d.hidden.row(i)[c] = gradient_through(f, n.hidden.row(i)[c], d.activated.row(i)[c]);
  });
  product_backward(d.hidden, b.reduce, d.squeezed, begin, end);
}
template <class A, class Gate>
void gradients(squeeze_excite<A, Gate> const& to, recalibration_numbers<A> const& n,
               recalibration_numbers<A> const& d) {
  product_gradients(n.activated, d.excited, to.expand, to.expand_bias);
  product_gradients(n.squeezed, d.hidden, to.reduce, to.reduce_bias);
}

template <class W, class Gate, class A>
void excite(effective_squeeze_excite<W, Gate> const& b, recalibration_numbers<A> const& n, index begin, index end) {
  product(n.squeezed, b.weight, b.bias, n.excited, begin, end);
}
template <class W, class Gate, class A>
void excite_backward(effective_squeeze_excite<W, Gate> const& b, recalibration_numbers<A> const&,
                     recalibration_numbers<A> const& d, index begin, index end) {
  product_backward(d.excited, b.weight, d.squeezed, begin, end);
}
template <class A, class Gate>
void gradients(effective_squeeze_excite<A, Gate> const& to, recalibration_numbers<A> const& n,
               recalibration_numbers<A> const& d) {
  product_gradients(n.squeezed, d.excited, to.weight, to.bias);
}

/// Calls body(i, c, k, other) for every image, channel and tap k whose channel other = c + k - size / 2 exists.
template <class Body>
void each_tap(index begin, index end, index channels, index size, Body const& body) {
  for (index i = begin; i < end; ++i)
    for (index c = 0; c < channels; ++c) {
      const index first = std::max<index>(0, size / 2 - c), last = std::min(size, channels - c + size / 2);
      for (index k = first; k < last; ++k) body(i, c, k, c + k - size / 2);
    }
}
template <class A>
void clear_rows(matrix_view<A> v, index begin, index end) {
  for (index i = begin; i < end; ++i) std::fill_n(v.row(i), v.columns, A(0));
}
template <class W, class Gate, class A>
void excite(efficient_channel_attention<W, Gate> const& b, recalibration_numbers<A> const& n, index begin, index end) {
  clear_rows(n.excited, begin, end);
  each_tap(begin, end, n.squeezed.columns, static_cast<index>(b.kernel.size()),
           [&](index i, index c, index k, index other) {
             n.excited.row(i)[c] += b.kernel[std::size_t(k)] * n.squeezed.row(i)[other];
           });
}
template <class W, class Gate, class A>
void excite_backward(efficient_channel_attention<W, Gate> const& b, recalibration_numbers<A> const&,
                     recalibration_numbers<A> const& d, index begin, index end) {
  clear_rows(d.squeezed, begin, end);
  each_tap(begin, end, d.squeezed.columns, static_cast<index>(b.kernel.size()),
           [&](index i, index c, index k, index other) {
             d.squeezed.row(i)[other] += b.kernel[std::size_t(k)] * d.excited.row(i)[c];
           });
}
template <class A, class Gate>
void gradients(efficient_channel_attention<A, Gate> const& to, recalibration_numbers<A> const& n,
               recalibration_numbers<A> const& d) {
  std::ranges::fill(to.kernel, A(0));
  each_tap(0, n.squeezed.rows, n.squeezed.columns, static_cast<index>(to.kernel.size()),
           [&](index i, index c, index k, index other) {
             to.kernel[std::size_t(k)] += d.excited.row(i)[c] * n.squeezed.row(i)[other];
           });
}

}  // namespace hone::inline HONE_ABI::on_cpu

#include <hone/core/macros_pop.hpp>
