// SPDX-License-Identifier: MIT
/// Box losses on CUDA: one kernel, and a thread evaluates one box, or as many as 16 bytes hold.
#pragma once

#include <hone/cuda/memory/job.cuh>
#include <hone/cuda/simd/device_float.cuh>
#include <hone/loss/box/term.hpp>

#include <hone/core/macros_push.hpp>

namespace hone::inline HONE_ABI::on_cuda {

/// Returns the address of number c of a box.
template <class T>
__device__ T* number_of_box(matrix_view<T> v, divider, index box, int c) {
  return v.data + box * v.row_stride + c;
}
template <class T>
__device__ T* number_of_box(image_view<T> v, divider pixels, index box, int c) {
  const index image = pixels.quotient(box);
  return v.data + (4 * image + c) * v.pixels + (box - image * v.pixels);
}

/// Reads or writes boxes from `first` on: N as vectors if N > 0, which the host has checked, or one, number by number.
template <int N, class A, class View>
__device__ void load_boxes(View v, divider pixels, index first, A (&to)[N > 0 ? N : 1][4]) {
  if constexpr (N > 0) {
    A flat[4 * N];
    load(v.data + 4 * first, flat, 4 * N);
#pragma unroll
    for (int j = 0; j < 4 * N; ++j) to[j / 4][j % 4] = flat[j];
  } else {
#pragma unroll
    for (int c = 0; c < 4; ++c) to[0][c] = static_cast<A>(*number_of_box(v, pixels, first, c));
  }
}
template <int N, class A, class View>
__device__ void store_boxes(A const (&from)[N > 0 ? N : 1][4], View v, divider pixels, index first) {
  if constexpr (N > 0) {
    A flat[4 * N];
#pragma unroll
    for (int j = 0; j < 4 * N; ++j) flat[j] = from[j / 4][j % 4];
    store(flat, v.data + 4 * first, 4 * N);
  } else {
#pragma unroll
    for (int c = 0; c < 4; ++c)
      *number_of_box(v, pixels, first, c) = detail::narrowed<detail::number_of<View>>(from[0][c]);
  }
}

/// Evaluates one piece of N boxes. Returns Σ scale · weight · loss.
template <int N, class View, class... Leaf>
__device__ double box_piece(job<View, Leaf...> const& work, divider pixels, index first,
                            typename job<View, Leaf...>::factors const& scales) {
  using A = accumulator_t<detail::number_of<View>>;
  using V = operand_of<A>;
  constexpr int count = N > 0 ? N : 1;

  A x[count][4], gradient[count][4] = {}, unreduced[count] = {};
  load_boxes<N>(work.prediction, pixels, first, x);
  A total = 0;
  bool over_nothing = true;  // true: the value and the gradient are 0, whatever the losses are
  int k = 0;
  work.leaves.each([&]<class L>(L const& leaf) {
    using format = typename std::remove_cvref_t<decltype(leaf.term)>::format;
    A t[count][4];
    load_boxes<N>(leaf.term.boxes, pixels, first, t);
    const A scale = scales[k++];
    over_nothing = over_nothing && scale == A(0);
#pragma unroll
    for (int j = 0; j < count; ++j) {
      const A weight = leaf.template factor_of_row<A>(first + j);
      if (weight == A(0)) continue;
      const V predicted[4] = {V(x[j][0]), V(x[j][1]), V(x[j][2]), V(x[j][3])};
      const V target[4] = {V(t[j][0]), V(t[j][1]), V(t[j][2]), V(t[j][3])};
      V by_numbers[4];
      const A loss =
          weight * static_cast<A>(detail::apply_formula<format>(leaf.term.formula, predicted, target, by_numbers));
      unreduced[j] += loss;
      total += scale * loss;
#pragma unroll
      for (int c = 0; c < 4; ++c) gradient[j][c] += scale * weight * static_cast<A>(by_numbers[c]);
    }
  });
  if (over_nothing) {
    total = 0;
#pragma unroll
    for (int j = 0; j < 4 * count; ++j) gradient[j / 4][j % 4] = 0;
  }
  if (work.out.gradient.data) store_boxes<N>(gradient, work.out.gradient, pixels, first);
  if (work.out.unreduced) store(unreduced, work.out.unreduced + first, count);
  return static_cast<double>(total);
}

/// Evaluates pieces of N boxes, then the remaining boxes one by one.
template <int N, class View, class... Leaf>
__global__ void __launch_bounds__(block_threads)
    box_kernel(job<View, Leaf...> const work, index boxes, divider pixels) {
  using A = typename job<View, Leaf...>::A;
  constexpr int per = N > 0 ? N : 1;
  const index pieces = boxes / per, step = index(gridDim.x) * block_threads;
  const index thread = index(blockIdx.x) * block_threads + threadIdx.x;
  typename job<View, Leaf...>::factors scales;
  work.read_scales(scales);
  double total = 0;
  for (index i = thread; i < pieces; i += step) total += box_piece<N>(work, pixels, i * per, scales);
  if constexpr (per > 1)
    if (const index remainder = pieces * per + thread; remainder < boxes)
      total += box_piece<0>(work, pixels, remainder, scales);
  if (work.out.value) grid_sum(total, work.scratch, [&](double x) { *work.out.value = detail::narrowed<A>(x); });
}

template <class View, boxwise Term, int Weights>
void check_leaf(View prediction, detail::leaf<Term, Weights> const& leaf) {
  leaf.term.check_shape(prediction);
  leaf.check_weight_sizes(detail::rows_of(prediction));
}

/// Returns whether the boxes of all views are rows of four without gaps, aligned for vectors of N boxes.
template <int N, class Job>
bool all_rows_of_boxes(Job const& job) {
  const auto fits = [](auto const& v) { return without_gaps(v) && is_aligned<4 * N>(v.data); };
  bool wide = (!job.out.gradient.data || fits(job.out.gradient)) && is_aligned<N>(job.out.unreduced);
  all_views(job.prediction, job.leaves).each([&](auto const& v) { wide = wide && fits(v); });
  return wide;
}

template <class View, class... Leaf>
void launch_boxes(cuda const& backend, job<View, Leaf...> const& work) {
  using T = typename job<View, Leaf...>::T;
  constexpr int N = sizeof(T) == 2 ? 2 : 1;
  const index boxes = detail::rows_of(work.prediction);
  if constexpr (requires { work.prediction.row_stride; }) {
    const bool wide = all_rows_of_boxes<N>(work);
    const auto kernel = wide ? box_kernel<N, View, Leaf...> : box_kernel<0, View, Leaf...>;
    launch("evaluate: box_kernel", kernel, {blocks_for(wide ? boxes / N : boxes), block_threads}, backend.stream(),
           work, boxes, divider());
  } else {
    const auto kernel = box_kernel<0, View, Leaf...>;
    launch("evaluate: box_kernel", kernel, {blocks_for(boxes), block_threads}, backend.stream(), work, boxes,
           divider(work.prediction.pixels));
  }
}

}  // namespace hone::inline HONE_ABI::on_cuda

#include <hone/core/macros_pop.hpp>
