// SPDX-License-Identifier: MIT
/// Element-wise objectives on CUDA: one kernel reads every element once and writes its gradient.
#pragma once

#include <hone/cuda/memory/job.cuh>
#include <hone/cuda/simd/device_float.cuh>
#include <hone/loss/element/term.hpp>
#include <hone/target/row_parts.hpp>

#include <hone/core/macros_push.hpp>

namespace hone::inline HONE_ABI::on_cuda {

/// Returns the start of a line of a view. A line is one row, or the whole view if it has no gaps.
template <class T>
HONE_HD T* line_of(matrix_view<T> v, index line) noexcept {
  return v.data + line * v.row_stride;
}
template <class T>
HONE_HD T* line_of(image_view<T> v, index) noexcept {
  return v.data;
}

/// The order of the elements of a view in memory: the divisors of a cursor.
template <class View>
struct element_order;
template <class T>
struct element_order<matrix_view<T>> {
  divider columns;

  HONE_HD index count() const { return columns.by; }
};
template <class T>
struct element_order<image_view<T>> {
  divider pixels, channels;

  HONE_HD index count() const { return channels.by; }
};
template <class T>
element_order<matrix_view<T>> order_of(matrix_view<T> v) noexcept {
  return {divider(v.columns)};
}
template <class T>
element_order<image_view<T>> order_of(image_view<T> v) noexcept {
  return {divider(v.pixels), divider(v.channels)};
}

/// The row and the column of an element; advance() moves to the next element in memory.
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

/// The targets of one row for its elements, in registers.
template <class A, class Targets>
struct row_of_targets;
template <class A, class View>
struct row_of_targets<A, dense_targets<View>> {
  __device__ void read(dense_targets<View> const&, index, index) {}
  __device__ A at(index) const { return A(0); }
  __device__ A share(int) const { return A(1); }
};
template <class A, class Label>
struct row_of_targets<A, one_hot_targets<Label>> {
  index label = 0;

  __device__ void read(one_hot_targets<Label> const& targets, index row, index) { label = targets.labels.label(row); }
  __device__ A at(index column) const { return label == column ? A(1) : A(0); }
  __device__ A share(int) const { return A(0); }
};
template <class A, class Target>
struct row_of_targets<A, row_targets<Target>> {
  detail::row_parts<A, Target> parts;

  __device__ void read(row_targets<Target> const& targets, index row, index columns) {
    parts = detail::row_parts<A, Target>(targets.target, row, columns);
  }
  __device__ A at(index column) const {
    A q = parts.ground;
#pragma unroll
    for (int j = 0; j < Target::labels; ++j) q += parts.label_at[j] == column ? parts.weight_at[j] : A(0);
    return q;
  }
  __device__ A share(int k) const { return parts.dense_at[k]; }
};

/// The numbers of a piece from one view of a term.
template <class A, int N>
struct piece_of_view {
  A at[N] = {};
};
template <class List>
inline constexpr int view_count_of = 0;
template <class... View>
inline constexpr int view_count_of<detail::list<View...>> = int(sizeof...(View));

/// The lines and the order of the elements, for a grid.
template <class View>
struct element_cut {
  line_cut lines;
  element_order<View> order;
};

/// Evaluates one piece of up to N elements. Returns Σ scale · weight · loss.
template <int N, class View, class... Leaf>
__device__ double element_piece(job<View, Leaf...> const& work, element_cut<View> const& cut, index piece,
                                typename job<View, Leaf...>::factors const& scales) {
  using A = accumulator_t<detail::number_of<View>>;
  const divider per_line = cut.lines.pieces_per_line;
  const index line = per_line.quotient(piece), from = (piece - line * per_line.by) * N;
  const index first = line * cut.lines.length + from;
  const int count = static_cast<int>(cut.lines.length - from < N ? cut.lines.length - from : N);

  [[maybe_unused]] const index columns = cut.order.count();
  A x[N] = {}, unreduced[N] = {}, gradient[N] = {};
  load(line_of(work.prediction, line) + from, x, count);
  A total = 0;
  bool over_nothing = true;  // true: the value and the gradient are 0, whatever the losses are
  int k = 0;
  work.leaves.each([&]<class L>(L const& leaf) {
    auto const& targets = leaf.term.targets;
    using Term = typename L::term_type;
    using Targets = std::remove_cvref_t<decltype(targets)>;
    constexpr bool dense = Targets::dense;
    constexpr int dense_views = view_count_of<decltype(targets.views())>;
    const auto views = leaf.term.views();  // views of the targets, then of the weights
    constexpr int view_count = view_count_of<std::remove_const_t<decltype(views)>>;
    piece_of_view<A, N> seen[view_count + 1];
    [&]<std::size_t... I>(std::index_sequence<I...>) {
      (load(line_of(detail::at<I>(views), line) + from, seen[I].at, count), ...);
    }(std::make_index_sequence<view_count>());

    const A scale = scales[k++];
    over_nothing = over_nothing && scale == A(0);
    const bool varies = L::weight_count > 0 || targets.ignoring();
    constexpr bool of_classes = Term::is_region_loss;
    constexpr bool by_column = !dense || Term::weighs_columns || Term::weighs_positives || of_classes;
    cursor<View> place(cut.order, by_column || varies ? first : 0);
    A row_weight = static_cast<A>(leaf.factor);
    row_of_targets<A, Targets> row;
    [[maybe_unused]] index region = 0;
#pragma unroll
    for (int j = 0; j < N; ++j) {
      if (j >= count) break;
      A t = 0, weight = row_weight;
      [[maybe_unused]] A positive = 1;
      [[maybe_unused]] bundle<operand_of<A>, 2> of_class = {};
      if (by_column || varies) {
        if (j == 0 || place.begins_row()) {  // values of a row are read once
          if (varies) row_weight = targets.ignores(place.row) ? A(0) : leaf.template factor_of_row<A>(place.row);
          row.read(targets, place.row, columns);
          weight = row_weight;
        }
        t = row.at(place.column);
        if constexpr (of_classes) {
          auto const& table = leaf.term.formula.table;
          if (place.row < region * table.rows || place.row >= (region + 1) * table.rows)
            region = place.row / table.rows;
          A const* const numbers = static_cast<A const*>(table.numbers) + region * table.of_region + place.column;
          for (int k = 0; k < 2; ++k) of_class[k] = operand_of<A>(numbers[k * table.of_number]);
        }
        if (weight != A(0))
          leaf.term.weights.each([&]<class W>(W const& w) {
            if constexpr (W::of_columns)
              weight *= w.template at<A>(place.column);
            else if constexpr (W::of_positives)
              positive *= w.template at<A>(place.column);
          });
        place.advance();
      }
      if constexpr (dense) {
        t = seen[0].at[j];
      } else {
#pragma unroll
        for (int v = 0; v < dense_views; ++v) t += row.share(v) * seen[v].at[j];
      }
#pragma unroll
      for (int v = dense_views; v < view_count; ++v) weight = weight == A(0) ? A(0) : weight * seen[v].at[j];
      if (weight == A(0)) continue;
      using V = operand_of<A>;
      const auto [value, grad] = [&] {
        if constexpr (of_classes)
          return leaf.term.formula(V(x[j]), V(t), of_class);
        else if constexpr (Term::weighs_positives)
          return leaf.term.formula(V(x[j]), V(t), V(positive));
        else
          return leaf.term.formula(V(x[j]), V(t));
      }();
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

/// The bound of 1 block lets the compiler give a thread as many registers as divisions take, instead of spilling.
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
  if (work.out.value) grid_sum(total, work.scratch, [&](double x) { *work.out.value = detail::narrowed<A>(x); });
}

template <class View, elementwise Term, int Weights>
void check_leaf(View prediction, detail::leaf<Term, Weights> const& leaf) {
  leaf.check_weight_sizes(detail::rows_of(prediction));
  leaf.term.check_shape(prediction);
}

/// Cuts the elements into pieces, of 16 bytes if every pointer is aligned for that, and launches the kernel.
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

}  // namespace hone::inline HONE_ABI::on_cuda

#include <hone/core/macros_pop.hpp>
