// SPDX-License-Identifier: MIT
/// Element-wise objectives on CUDA: one kernel that reads every element once and writes its gradient.
#pragma once

#include <hone/core/outputs.hpp>
#include <hone/core/view_check.hpp>
#include <hone/cuda/divisor.cuh>
#include <hone/cuda/vector.cuh>
#include <hone/loss/element_term.hpp>

namespace hone::on_cuda {

/// A view as lines: of one row each, or the whole of it where nothing lies between its numbers.
template <class T>
bool without_gaps(matrix_view<T> v) noexcept {
  return v.row_stride == v.columns || v.rows <= 1;
}
template <class T>
bool without_gaps(image_view<T>) noexcept {
  return true;
}
template <class T>
HONE_HD T* line_of(matrix_view<T> v, index line) noexcept {
  return v.data + line * v.row_stride;
}
template <class T>
HONE_HD T* line_of(image_view<T> v, index) noexcept {
  return v.data;
}

/// How elements follow one another in memory: what a cursor divides by.
template <class View>
struct element_order;
template <class T>
struct element_order<matrix_view<T>> {
  divider columns;
};
template <class T>
struct element_order<image_view<T>> {
  divider pixels, channels;
};
template <class T>
element_order<matrix_view<T>> order_of(matrix_view<T> v) noexcept {
  return {divider(v.columns)};
}
template <class T>
element_order<image_view<T>> order_of(image_view<T> v) noexcept {
  return {divider(v.pixels), divider(v.channels)};
}

/// Row and column of an element, from one to the next.
template <class View>
struct cursor;
template <class T>
struct cursor<matrix_view<T>> {
  index row, column, columns;

  __device__ cursor(element_order<matrix_view<T>> order, index i)
      : row(order.columns.quotient(i)), column(i - row * order.columns.by), columns(order.columns.by) {}
  __device__ void advance() {
    if (++column == columns) column = 0, ++row;
  }
};
template <class T>
struct cursor<image_view<T>> {
  index row, column, pixel, pixels, channels;

  __device__ cursor(element_order<image_view<T>> order, index i)
      : pixels(order.pixels.by), channels(order.channels.by) {
    const index plane = order.pixels.quotient(i), image = order.channels.quotient(plane);
    pixel = i - plane * pixels, column = plane - image * channels, row = image * pixels + pixel;
  }
  __device__ void advance() {
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

/// What the kernel is given.
template <class View, class... Leaf>
struct element_job {
  using T = detail::number_of<View>;
  using A = accumulator_t<T>;

  View prediction;
  typename detail::outputs_of<View>::type out;
  detail::list<Leaf...> leaves;
  scale_of_leaf scales[sizeof...(Leaf)];
  line_cut cut;
  element_order<View> order;
  grid_scratch scratch;
  bool over_nothing = false;  // a mean over 0: the value and the gradient are 0, whatever the losses are
};

/// One piece of up to N elements. Returns Σ scale · weight · loss.
template <int N, class View, class... Leaf>
__device__ double element_piece(element_job<View, Leaf...> const& job, index piece,
                                typename element_job<View, Leaf...>::A const (&scales)[sizeof...(Leaf)]) {
  using A = typename element_job<View, Leaf...>::A;
  const index line = job.cut.pieces_per_line.quotient(piece), from = (piece - line * job.cut.pieces_per_line.by) * N;
  const index first = line * job.cut.length + from;
  const int count = static_cast<int>(job.cut.length - from < N ? job.cut.length - from : N);

  A x[N] = {}, unreduced[N] = {}, gradient[N] = {};
  load(line_of(job.prediction, line) + from, x, count);
  A total = 0;
  int k = 0;
  job.leaves.each([&]<class L>(L const& leaf) {
    auto const& targets = leaf.term.targets;
    constexpr bool dense = std::remove_cvref_t<decltype(targets)>::dense;
    A t[N] = {};
    if constexpr (dense) load(line_of(targets.view, line) + from, t, count);
    const A scale = scales[k++];
    const bool varies = L::weight_count > 0 || targets.ignoring();
    cursor<View> place(job.order, !dense || varies ? first : 0);
#pragma unroll
    for (int j = 0; j < N; ++j) {
      if (j >= count) break;
      A weight = static_cast<A>(leaf.factor);
      if (!dense || varies) {
        if (varies) weight = targets.ignores(place.row) ? A(0) : static_cast<A>(leaf.factor_of_row(place.row));
        if constexpr (!dense) t[j] = targets.labels.label(place.row) == place.column ? A(1) : A(0);
        place.advance();
      }
      if (weight == A(0)) continue;
      const value_grad<A> y = leaf.term.formula(x[j], t[j]);
      unreduced[j] += weight * y.value;
      total += scale * (weight * y.value);
      gradient[j] += scale * weight * y.grad;
    }
  });
  if (job.over_nothing) {
    total = 0;
#pragma unroll
    for (int j = 0; j < N; ++j) gradient[j] = 0;
  }
  if (job.out.gradient.data) store(gradient, line_of(job.out.gradient, line) + from, count);
  if (job.out.unreduced) {
    if constexpr (requires { job.prediction.row_stride; }) {
      store(unreduced, job.out.unreduced + first, count);
    } else {
      cursor<View> place(job.order, first);
#pragma unroll
      for (int j = 0; j < N; ++j, place.advance())
        if (j < count) job.out.unreduced[place.row * job.prediction.channels + place.column] = unreduced[j];
    }
  }
  return static_cast<double>(total);
}

template <int N, class View, class... Leaf>
__global__ void __launch_bounds__(block_threads) element_kernel(element_job<View, Leaf...> const job) {
  using A = typename element_job<View, Leaf...>::A;
  const index pieces = job.cut.pieces(), step = index(gridDim.x) * block_threads;
  A scales[sizeof...(Leaf)];
#pragma unroll
  for (std::size_t k = 0; k < sizeof...(Leaf); ++k) scales[k] = static_cast<A>(job.scales[k].get());
  double total = 0;
  for (index i = index(blockIdx.x) * block_threads + threadIdx.x; i < pieces; i += step)
    total += element_piece<N>(job, i, scales);
  if (job.out.value) grid_sum(total, job.scratch, [&](double x) { *job.out.value = static_cast<A>(x); });
}

/// Whether every line of a view may be read as vectors of N.
template <int N, class T>
bool lines_aligned(matrix_view<T> v, bool one_line) noexcept {
  return is_aligned<N>(v.data) && (one_line || is_aligned<N>(v.data + v.row_stride));
}
template <int N, class T>
bool lines_aligned(image_view<T> v, bool) noexcept {
  return is_aligned<N>(v.data);
}

template <class View, elementwise Term, int Weights>
void check_leaf(View prediction, detail::leaf<Term, Weights> const& leaf) {
  leaf.check_weight_sizes(detail::rows_of(prediction));
  leaf.term.targets.check_shape(prediction);
}

/// Cuts the elements into pieces, 16 bytes wide where every pointer allows it, and launches the kernel.
template <class View, class... Leaf>
void launch_elements(cuda const& backend, element_job<View, Leaf...> job) {
  constexpr int N = wide_of<typename element_job<View, Leaf...>::T>;
  const index rows = detail::rows_of(job.prediction), columns = detail::columns_of(job.prediction);
  bool one_line = without_gaps(job.prediction) && (!job.out.gradient.data || without_gaps(job.out.gradient));
  job.leaves.each([&](auto const& leaf) {
    if constexpr (requires { leaf.term.targets.view; }) one_line = one_line && without_gaps(leaf.term.targets.view);
  });
  bool wide = lines_aligned<N>(job.prediction, one_line) && is_aligned<N>(job.out.unreduced) &&
              (one_line || !job.out.unreduced || columns % N == 0) && lines_aligned<N>(job.out.gradient, one_line);
  job.leaves.each([&](auto const& leaf) {
    if constexpr (requires { leaf.term.targets.view; })
      wide = wide && lines_aligned<N>(leaf.term.targets.view, one_line);
  });
  job.cut = line_cut(one_line ? 1 : rows, one_line ? rows * columns : columns, wide ? N : 1);
  const int blocks = blocks_for(job.cut.pieces());
  if (wide) {
    element_kernel<N><<<blocks, block_threads, 0, backend.stream()>>>(job);
  } else {
    element_kernel<1><<<blocks, block_threads, 0, backend.stream()>>>(job);
  }
  check_launch("evaluate: element_kernel");
}

}  // namespace hone::on_cuda
