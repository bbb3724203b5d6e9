// SPDX-License-Identifier: MIT
/// The branches of channel attention on CUDA: from the means of the planes to the numbers of the gates, and back.
#pragma once

#include <hone/cuda/run/reduce.cuh>
#include <hone/cuda/simd/device_float.cuh>
#include <hone/cuda/structure/small_product.cuh>
#include <hone/structure/recalibration.hpp>

#include <span>

#include <hone/core/macros_push.hpp>

namespace hone::inline HONE_ABI::on_cuda {

/// What each number of a product becomes: with its bias, and what f makes of it.
template <class A>
struct add_bias {
  matrix_view<A> to;
  A const* bias;

  __device__ void operator()(index row, index column, A sum) const { to.row(row)[column] = sum + bias[column]; }
};
template <class A, class F>
struct activate {
  F f;
  matrix_view<A> hidden, activated;
  A const* bias;

  __device__ void operator()(index row, index column, A sum) const {
    const A h = bias ? sum + bias[column] : sum;
    hidden.row(row)[column] = h;
    activated.row(row)[column] = static_cast<A>(f(operand_of<A>(h)).value);
  }
};
/// The gradient by what f was given, of that by its result.
template <class A, class F>
struct chain_activation {
  F f;
  matrix_view<const A> hidden;
  matrix_view<A> dactivated, dhidden;

  __device__ void operator()(index row, index column, A sum) const {
    using V = operand_of<A>;
    dactivated.row(row)[column] = sum;
    dhidden.row(row)[column] = static_cast<A>(gradient_through(f, V(hidden.row(row)[column]), V(sum)));
  }
};
/// The share of a pixel in the gradient by a mean.
template <class A>
struct share_among_pixels {
  matrix_view<A> to;
  double per_pixel;

  __device__ void operator()(index row, index column, A sum) const {
    to.row(row)[column] = detail::narrowed<A>(static_cast<double>(sum) * per_pixel);
  }
};

/// to[c] = Σ from[i][c] over the rows, in order.
template <class A>
__global__ void __launch_bounds__(block_threads) column_sums_kernel(matrix_view<const A> const from, A* const to) {
  for (index c = index(blockIdx.x) * block_threads + threadIdx.x; c < from.columns;
       c += index(gridDim.x) * block_threads) {
    double sum = 0;
    for (index i = 0; i < from.rows; ++i) sum += static_cast<double>(from.row(i)[c]);
    to[c] = detail::narrowed<A>(sum);
  }
}

/// The correlation of every row with a kernel of odd size, zeros outside; reversed: with the kernel from its end.
/// store(row, channel, sum) is what the sums are for.
template <class A, class Store>
__global__ void __launch_bounds__(block_threads)
    correlate_kernel(matrix_view<const A> const from, A const* const kernel, index const size, bool const reversed,
                     divider const channels, Store const store) {
  for (index k = index(blockIdx.x) * block_threads + threadIdx.x; k < from.rows * channels.by;
       k += index(gridDim.x) * block_threads) {
    const index row = channels.quotient(k), c = k - row * channels.by;
    const index first = size / 2 > c ? size / 2 - c : 0, end = channels.by - c + size / 2;
    A sum = 0;
    for (index t = first; t < size && t < end; ++t)
      sum += kernel[reversed ? size - 1 - t : t] * from.row(row)[c + t - size / 2];
    store(row, c, sum);
  }
}

inline constexpr int taps_threads = 512;  // of the block that sums one tap

/// to[t] = Σ dout[i][c] from[i][c + t - size / 2] over all rows and channels; a warp takes a row at a time.
template <class A>
__global__ void __launch_bounds__(taps_threads)
    taps_kernel(matrix_view<const A> const from, matrix_view<const A> const dout, A* const to, index const size) {
  for (index t = blockIdx.x; t < size; t += gridDim.x) {
    const index move = t - size / 2, first = move < 0 ? -move : 0;
    const index end = move < 0 ? from.columns : from.columns - move;
    double sum = 0;
    for (index i = static_cast<int>(threadIdx.x) / 32; i < from.rows; i += taps_threads / 32)
#pragma unroll 4
      for (index c = first + static_cast<int>(threadIdx.x) % 32; c < end; c += 32)
        sum += static_cast<double>(dout.row(i)[c]) * static_cast<double>(from.row(i)[c + move]);
    sum = block_sum(sum);
    if (threadIdx.x == 0) to[t] = detail::narrowed<A>(sum);
  }
}

/// What all branches need to be enqueued: the verb that errors are reported of, and the caller's product.
template <class Product>
struct branch_call {
  cudaStream_t stream;
  const char* name;
  Product const& product;

  template <class A, class W, class Finish>
  void forward(matrix_view<A> from, matrix_view<W> weight, matrix_view<A> to, Finish const& finish) const {
    multiply(stream, name, product, matrix_product<A>{from, weight, false, true, to}, finish);
  }
  template <class A, class W>
  void forward(matrix_view<A> from, matrix_view<W> weight, std::span<W> bias, matrix_view<A> to) const {
    if (bias.empty()) return forward(from, weight, to, store_sum<A>{to});
    forward(from, weight, to, add_bias<A>{to, bias.data()});
  }
  template <class A, class W, class Finish>
  void backward(matrix_view<A> dto, matrix_view<W> weight, matrix_view<A> dfrom, Finish const& finish) const {
    multiply(stream, name, product, matrix_product<A>{dto, weight, false, false, dfrom}, finish);
  }
  template <class A>
  void gradients(matrix_view<A> from, matrix_view<A> dto, matrix_view<A> dweight, std::span<A> dbias) const {
    multiply(stream, name, product, matrix_product<A>{dto, from, true, false, dweight}, store_sum<A>{dweight});
    if (!dbias.empty())
      launch(name, column_sums_kernel<A>, {blocks_for(dto.columns), block_threads}, stream, dto, dbias.data());
  }
  template <class A, class Store>
  void correlate(matrix_view<A> from, A const* kernel, std::size_t size, bool reversed, Store const& store) const {
    const index all = from.rows * from.columns;
    if (all > 0)
      launch(name, correlate_kernel<A, Store>, {blocks_for(all), block_threads}, stream, from, kernel,
             static_cast<index>(size), reversed, divider(from.columns), store);
  }
};

/// excite: `excited` of `squeezed`. excite_backward: what each pixel gets of the gradient by `squeezed`, of that by
/// `excited`. gradients: those by the parameters.
template <class W, class Gate, class A, class Product>
void excite(branch_call<Product> const& call, squeeze_excite<W, Gate> const& b, recalibration_numbers<A> const& n) {
  detail::with_formula(b.activation, [&]<class F>(F f) {
    call.forward(n.squeezed, b.reduce, n.hidden,
                 activate<A, F>{f, n.hidden, n.activated, b.reduce_bias.empty() ? nullptr : b.reduce_bias.data()});
  });
  call.forward(n.activated, b.expand, b.expand_bias, n.excited);
}
template <class W, class Gate, class A, class Product>
void excite_backward(branch_call<Product> const& call, squeeze_excite<W, Gate> const& b,
                     recalibration_numbers<A> const& n, recalibration_numbers<A> const& d, double per_pixel) {
  detail::with_formula(b.activation, [&]<class F>(F f) {
    call.backward(d.excited, b.expand, d.activated, chain_activation<A, F>{f, n.hidden, d.activated, d.hidden});
  });
  call.backward(d.hidden, b.reduce, d.squeezed, share_among_pixels<A>{d.squeezed, per_pixel});
}
template <class A, class Gate, class Product>
void gradients(branch_call<Product> const& call, squeeze_excite<A, Gate> const& to, recalibration_numbers<A> const& n,
               recalibration_numbers<A> const& d) {
  call.gradients(n.activated, d.excited, to.expand, to.expand_bias);
  call.gradients(n.squeezed, d.hidden, to.reduce, to.reduce_bias);
}

template <class W, class Gate, class A, class Product>
void excite(branch_call<Product> const& call, effective_squeeze_excite<W, Gate> const& b,
            recalibration_numbers<A> const& n) {
  call.forward(n.squeezed, b.weight, b.bias, n.excited);
}
template <class W, class Gate, class A, class Product>
void excite_backward(branch_call<Product> const& call, effective_squeeze_excite<W, Gate> const& b,
                     recalibration_numbers<A> const&, recalibration_numbers<A> const& d, double per_pixel) {
  call.backward(d.excited, b.weight, d.squeezed, share_among_pixels<A>{d.squeezed, per_pixel});
}
template <class A, class Gate, class Product>
void gradients(branch_call<Product> const& call, effective_squeeze_excite<A, Gate> const& to,
               recalibration_numbers<A> const& n, recalibration_numbers<A> const& d) {
  call.gradients(n.squeezed, d.excited, to.weight, to.bias);
}

template <class W, class Gate, class A, class Product>
void excite(branch_call<Product> const& call, efficient_channel_attention<W, Gate> const& b,
            recalibration_numbers<A> const& n) {
  call.correlate(n.squeezed, b.kernel.data(), b.kernel.size(), false, store_sum<A>{n.excited});
}
template <class W, class Gate, class A, class Product>
void excite_backward(branch_call<Product> const& call, efficient_channel_attention<W, Gate> const& b,
                     recalibration_numbers<A> const&, recalibration_numbers<A> const& d, double per_pixel) {
  call.correlate(d.excited, b.kernel.data(), b.kernel.size(), true, share_among_pixels<A>{d.squeezed, per_pixel});
}
template <class A, class Gate, class Product>
void gradients(branch_call<Product> const& call, efficient_channel_attention<A, Gate> const& to,
               recalibration_numbers<A> const& n, recalibration_numbers<A> const& d) {
  const auto size = static_cast<index>(to.kernel.size());
  launch(call.name, taps_kernel<A>, {grid_for(size), taps_threads}, call.stream, n.squeezed, d.excited,
         to.kernel.data(), size);
}

}  // namespace hone::inline HONE_ABI::on_cuda

#include <hone/core/macros_pop.hpp>
