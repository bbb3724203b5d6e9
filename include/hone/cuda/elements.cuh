// SPDX-License-Identifier: MIT
/// Element-wise objectives on CUDA: one kernel that reads every element once and writes its gradient.
#pragma once

#include <hone/cuda/device_float.cuh>
#include <hone/cuda/job.cuh>
#include <hone/loss/element_term.hpp>

namespace hone::on_cuda {

/// A view as lines: of one row each, or the whole of it where nothing lies between its numbers.
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

  HONE_HD cursor(element_order<matrix_view<T>> order, index i)
      : row(order.columns.quotient(i)), column(i - row * order.columns.by), columns(order.columns.by) {}
  HONE_HD bool begins_row() const { return column == 0; }
  HONE_HD void advance() {
    if (++column == columns) column = 0, ++row;
  }
};
template <class T>
struct cursor<image_view<T>> {
  index row, column, pixel, pixels, channels;

  HONE_HD cursor(element_order<image_view<T>> order, index i) : pixels(order.pixels.by), channels(order.channels.by) {
    const index plane = order.pixels.quotient(i), image = order.channels.quotient(plane);
    pixel = i - plane * pixels, column = plane - image * channels, row = image * pixels + pixel;
  }
  HONE_HD static constexpr bool begins_row() { return true; }  // pixels are rows
  HONE_HD void advance() {
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

/// How a grid walks through the elements.
template <class View>
struct element_cut {
  line_cut lines;
  element_order<View> order;
};

/// One piece of up to N elements. Returns Σ scale · weight · loss.
template <int N, class View, class... Leaf>
__device__ double element_piece(job<View, Leaf...> const& work, element_cut<View> const& cut, index piece,
                                typename job<View, Leaf...>::factors const& scales) {
  using A = accumulator_t<detail::number_of<View>>;
  const divider per_line = cut.lines.pieces_per_line;
  const index line = per_line.quotient(piece), from = (piece - line * per_line.by) * N;
  const index first = line * cut.lines.length + from;
  const int count = static_cast<int>(cut.lines.length - from < N ? cut.lines.length - from : N);

  A x[N] = {}, unreduced[N] = {}, gradient[N] = {};
  load(line_of(work.prediction, line) + from, x, count);
  A total = 0;
  bool over_nothing = true;  // then the value and the gradient are 0, whatever the losses are
  int k = 0;
  work.leaves.each([&]<class L>(L const& leaf) {
    auto const& targets = leaf.term.targets;
    constexpr bool dense = std::remove_cvref_t<decltype(targets)>::dense;
    A t[N] = {};
    if constexpr (dense) load(line_of(targets.view, line) + from, t, count);
    const A scale = scales[k++];
    over_nothing = over_nothing && scale == A(0);
    const bool varies = L::weight_count > 0 || targets.ignoring();
    cursor<View> place(cut.order, !dense || varies ? first : 0);
    A weight = static_cast<A>(leaf.factor);
    [[maybe_unused]] index label = 0;
#pragma unroll
    for (int j = 0; j < N; ++j) {
      if (j >= count) break;
      if (!dense || varies) {
        if (j == 0 || place.begins_row()) {  // what is a row's is read once
          if (varies) weight = targets.ignores(place.row) ? A(0) : leaf.template factor_of_row<A>(place.row);
          if constexpr (!dense) label = targets.labels.label(place.row);
        }
        if constexpr (!dense) t[j] = label == place.column ? A(1) : A(0);
        place.advance();
      }
      if (weight == A(0)) continue;
      const auto [value, grad] = leaf.term.formula(operand_of<A>(x[j]), operand_of<A>(t[j]));
      const A loss = weight * static_cast<A>(value);
      unreduced[j] += loss;
      total += scale * loss;
      gradient[j] += scale * weight * static_cast<A>(grad);
    }
  });
  if (over_nothing) {
    total = 0;
#pragma unroll
    for (int j = 0; j < N; ++j) gradient[j] = 0;
  }
  if (work.out.gradient.data) store(gradient, line_of(work.out.gradient, line) + from, count);
  if (work.out.unreduced) {
    if constexpr (requires { work.prediction.row_stride; }) {
      store(unreduced, work.out.unreduced + first, count);
    } else {
      cursor<View> place(cut.order, first);
#pragma unroll
      for (int j = 0; j < N; ++j, place.advance())
        if (j < count) work.out.unreduced[place.row * work.prediction.channels + place.column] = unreduced[j];
    }
  }
  return static_cast<double>(total);
}

/// The 1 lets a thread have as many registers as divisions take, rather than spill.
template <int N, class View, class... Leaf>
__global__ void __launch_bounds__(block_threads, 1)
    element_kernel(job<View, Leaf...> const work, element_cut<View> const cut) {
  using A = typename job<View, Leaf...>::A;
  const index pieces = cut.lines.pieces(), step = index(gridDim.x) * block_threads;
  typename job<View, Leaf...>::factors scales;
  work.read_scales(scales);
  double total = 0;
  for (index i = index(blockIdx.x) * block_threads + threadIdx.x; i < pieces; i += step)
    total += element_piece<N>(work, cut, i, scales);
  if (work.out.value) grid_sum(total, work.scratch, [&](double x) { *work.out.value = static_cast<A>(x); });
}

template <class View, elementwise Term, int Weights>
void check_leaf(View prediction, detail::leaf<Term, Weights> const& leaf) {
  leaf.check_weight_sizes(detail::rows_of(prediction));
  leaf.term.targets.check_shape(prediction);
}

/// Cuts the elements into pieces, 16 bytes wide where every pointer allows it, and launches the kernel.
template <class View, class... Leaf>
void launch_elements(cuda const& backend, job<View, Leaf...> const& work) {
  constexpr int N = wide_of<typename job<View, Leaf...>::T>;
  const index rows = detail::rows_of(work.prediction), columns = detail::columns_of(work.prediction);
  const bool one_line = all_without_gaps(work);
  const bool wide = is_aligned<N>(work.out.unreduced) && (one_line || !work.out.unreduced || columns % N == 0) &&
                    all_aligned<N>(work, one_line);
  const element_cut<View> cut{line_cut(one_line ? 1 : rows, one_line ? rows * columns : columns, wide ? N : 1),
                              order_of(work.prediction)};
  const auto kernel = wide ? element_kernel<N, View, Leaf...> : element_kernel<1, View, Leaf...>;
  launch("evaluate: element_kernel", kernel, {blocks_for(cut.lines.pieces()), block_threads}, backend.stream(), work,
         cut);
}

}  // namespace hone::on_cuda
