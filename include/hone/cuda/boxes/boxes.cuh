// SPDX-License-Identifier: MIT
/// Box losses on CUDA: one kernel, and a thread evaluates one box, or as many as 16 bytes hold.
#pragma once

#include <hone/cuda/memory/job.cuh>
#include <hone/cuda/run/resident.cuh>
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

/// The numbers of a box, as an element of an array: its address takes fewer instructions.
template <class View>
struct four_of {
  detail::number_of<View> at[4];
};

/// Reads or writes boxes from `first` on: N as vectors if N > 0, which the host has checked, or one, number by number.
template <int N, class A, class View>
__device__ void load_boxes(View v, divider pixels, index first, A (&to)[N > 0 ? N : 1][4]) {
  if constexpr (N > 0) {
    A flat[4 * N];
    load(reinterpret_cast<four_of<View> const*>(v.data)[first].at, flat, 4 * N);
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
    store(flat, reinterpret_cast<four_of<View>*>(v.data)[first].at, 4 * N);
  } else {
#pragma unroll
    for (int c = 0; c < 4; ++c)
      *number_of_box(v, pixels, first, c) = detail::narrowed<detail::number_of<View>>(from[0][c]);
  }
}

/// detail::apply_formula, in which only threads of a box that is not valid pay for the clamps of the format.
template <class Format, class Formula, class V>
__device__ V value_of_box(Formula const& formula, V const (&predicted)[4], V const (&target)[4], V (&grad)[4]) {
  box<V> p{predicted[0], predicted[1], predicted[2], predicted[3]}, t{target[0], target[1], target[2], target[3]};
  const bool valid = Format::are_valid(p, t);
  if (!valid) p = Format::numbers_of(predicted), t = Format::numbers_of(target);
  const box_grad<V> y = detail::apply_to_valid<Format>(formula, p, t);
  grad[0] = y.grad.x1, grad[1] = y.grad.y1, grad[2] = y.grad.x2, grad[3] = y.grad.y2;
  if (!valid) Format::chain_numbers(predicted, y.grad, grad);
  return y.value;
}

/// Evaluates one piece of N boxes. Returns Σ scale · weight · loss, or each of them, as the job wants.
template <int N, class Job>
__device__ typename Job::template piece_value<(N > 0 ? N : 1)> box_piece(Job const& work, divider pixels, index first,
                                                                         typename Job::factors const& scales) {
  using A = typename Job::A;
  using V = operand_of<A>;
  constexpr int count = N > 0 ? N : 1;

  A x[count][4], gradient[count][4] = {}, unreduced[count] = {};
  load_boxes<N>(work.prediction, pixels, first, x);
  typename Job::template piece_value<count> total;
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
      const A loss = weight * static_cast<A>(value_of_box<format>(leaf.term.formula, predicted, target, by_numbers));
      unreduced[j] += loss;
      total.add(j, scale * loss);
#pragma unroll
      for (int c = 0; c < 4; ++c) gradient[j][c] += scale * weight * static_cast<A>(by_numbers[c]);
    }
  });
  if (over_nothing) {
    total.clear();
#pragma unroll
    for (int j = 0; j < 4 * count; ++j) gradient[j / 4][j % 4] = 0;
  }
#pragma unroll
  for (int j = 0; j < 4 * count; ++j) gradient[j / 4][j % 4] = work.of_gradient(gradient[j / 4][j % 4]);
  if (work.out.gradient.data) store_boxes<N>(gradient, work.out.gradient, pixels, first);
  if (work.out.unreduced) store(unreduced, work.out.unreduced + first, count);
  return total;
}

/// The boxes of a call, for a grid.
struct box_cut {
  index boxes;
  divider pixels;  // of images
  part_cut all;
};

/// Evaluates pieces of N boxes, then the remaining boxes one by one.
template <int N, class Job>
__global__ void __launch_bounds__(block_threads) box_kernel(Job const work, box_cut const cut) {
  constexpr int per = N > 0 ? N : 1;
  typename Job::factors scales;
  work.read_scales(scales);
  typename Job::value value(work, scales);
  value.each_part(work, cut.all.parts, [&](int part) {
    const index first = part_cut::first(part, threadIdx.x);
    value.template each<1>(first, cut.all.pieces, cut.all.step,
                           [&](index i) { return box_piece<N>(work, cut.pixels, i * per, scales); });
    if constexpr (per > 1) {
      const index remainder = cut.all.pieces * per + first;
      value.add_if(remainder < cut.boxes, [&] { return box_piece<0>(work, cut.pixels, remainder, scales); });
    }
  });
  value.finish(work, cut.all.parts);
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

template <class Job>
void launch_boxes(cuda const& backend, Job const& work) {
  using T = typename Job::T;
  constexpr int N = sizeof(T) == 2 ? 2 : 1;
  const index boxes = detail::rows_of(work.prediction);
  const auto enqueue = [&](auto kernel, index pieces, divider pixels) {
    const box_cut cut{boxes, pixels, part_cut(pieces)};
    launch("evaluate: box_kernel", kernel, resident_grid(kernel, cut.all.parts, block_threads), backend.stream(), work,
           cut);
  };
  if constexpr (requires { work.prediction.row_stride; }) {
    const bool wide = all_rows_of_boxes<N>(work);
    enqueue(wide ? box_kernel<N, Job> : box_kernel<0, Job>, wide ? boxes / N : boxes, divider());
  } else {
    enqueue(box_kernel<0, Job>, boxes, divider(work.prediction.pixels));
  }
}

}  // namespace hone::inline HONE_ABI::on_cuda

#include <hone/core/macros_pop.hpp>
