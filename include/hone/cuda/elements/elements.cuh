// SPDX-License-Identifier: MIT
/// Element-wise objectives on CUDA: one kernel reads every element once and writes its gradient.
#pragma once

#include <hone/cuda/elements/cursor.cuh>
#include <hone/cuda/memory/job.cuh>
#include <hone/cuda/run/resident.cuh>
#include <hone/cuda/simd/device_float.cuh>
#include <hone/loss/element/term.hpp>
#include <hone/target/row_parts.hpp>

#include <hone/core/macros_push.hpp>

namespace hone::inline HONE_ABI::on_cuda {

/// Returns where a line of a view starts. A line is one row, or the whole view if it has no gaps.
template <class T>
HONE_HD index start_of_line(matrix_view<T> v, index line) noexcept {
  return line * v.row_stride;
}
template <class T>
HONE_HD index start_of_line(image_view<T>, index) noexcept {
  return 0;
}

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

template <class List>
inline constexpr int view_count_of = 0;
template <class... View>
inline constexpr int view_count_of<detail::list<View...>> = int(sizeof...(View));

/// The lines and the order of the elements, for a grid.
template <class View>
struct element_cut {
  line_cut lines;
  element_order<View> order;
  part_cut all;
};

/// Evaluates one piece of up to N elements. Returns Σ scale · weight · loss, or each of them, as the job wants.
template <int N, class Job, class View>
__device__ typename Job::template piece_value<N> element_piece(Job const& work, element_cut<View> const& cut,
                                                               index piece, typename Job::factors const& scales) {
  using A = accumulator_t<detail::number_of<View>>;
  const auto all = all_views(work.prediction, work.leaves);
  constexpr int all_count = view_count_of<std::remove_const_t<decltype(all)>>;
  index first = piece * N, left = cut.lines.length - first;
  index in_gradient = first, at[all_count];  // where the piece begins in each view
#pragma unroll
  for (int v = 0; v < all_count; ++v) at[v] = first;
  if (cut.lines.lines != 1) {  // all of this, because what one line does not need would take more than the rest
    const divider per_line = cut.lines.pieces_per_line;
    const index line = per_line.quotient(piece), from = (piece - line * per_line.by) * N;
    first = line * cut.lines.length + from, left = cut.lines.length - from;
    int v = 0;
    all.each([&](auto const& view) { at[v++] = start_of_line(view, line) + from; });
    in_gradient = start_of_line(work.out.gradient, line) + from;
  }
  const int count = static_cast<int>(left < N ? left : N);

  [[maybe_unused]] const index columns = cut.order.count();
  A unreduced[N] = {}, gradient[N] = {};
  const auto x = read_vector<N>(work.prediction.data + at[0], count);
  typename Job::template piece_value<N> total;
  bool over_nothing = true;  // true: the value and the gradient are 0, whatever the losses are
  int k = 0, view = 1;
  work.leaves.each([&]<class L>(L const& leaf) {
    auto const& targets = leaf.term.targets;
    using Term = typename L::term_type;
    using Targets = std::remove_cvref_t<decltype(targets)>;
    constexpr bool dense = Targets::dense;
    constexpr int dense_views = view_count_of<decltype(targets.views())>;
    const auto views = leaf.term.views();  // views of the targets, then of the weights
    constexpr int view_count = view_count_of<std::remove_const_t<decltype(views)>>;
    const auto seen = [&]<std::size_t... I>(std::index_sequence<I...>) {
      return detail::list{read_vector<N>(detail::at<I>(views).data + at[view++], count)...};  // in this order
    }(std::make_index_sequence<view_count>());

    const bool is_first = k == 0;
    const A scale = scales[k++];
    over_nothing = over_nothing && scale == A(0);
    const bool varies = L::weight_count > 0 || targets.ignoring();
    constexpr bool of_classes = Term::is_region_loss;
    constexpr bool by_column = !dense || Term::weighs_columns || Term::weighs_positives || of_classes;
    cursor<View> place(cut.order, by_column || varies ? first : 0);
    const bool vanishes = varies || Term::weighs_elements;  // whether single elements may have weight 0
    A row_weight = static_cast<A>(leaf.factor), losses[N] = {}, slopes[N] = {};
    row_of_targets<A, Targets> row;
    [[maybe_unused]] index region = 0;
#pragma unroll
    for (int j = 0; j < N; ++j) {
      A t = 0, weight = row_weight;
      [[maybe_unused]] A positive = 1;
      [[maybe_unused]] bundle<operand_of<A>, 2> of_class = {};
      if (by_column || varies) {
        if (j >= count) break;
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
      int v = 0;
      seen.each([&](auto const& numbers) {
        const A number = static_cast<A>(numbers.get(j));
        if (v >= dense_views)
          weight = weight == A(0) ? A(0) : weight * number;
        else
          t = dense ? number : t + row.share(v) * number;
        ++v;
      });
      using V = operand_of<A>;
      const V logit(static_cast<A>(x.get(j)));
      const auto [value, grad] = [&] {
        if constexpr (of_classes)
          return leaf.term.formula(logit, V(t), of_class);
        else if constexpr (Term::weighs_positives)
          return leaf.term.formula(logit, V(t), V(positive));
        else
          return leaf.term.formula(logit, V(t));
      }();
      // A selection, because a branch would keep the elements of a piece from being computed side by side.
      losses[j] = vanishes && weight == A(0) ? A(0) : weight * static_cast<A>(value);
      slopes[j] = vanishes && weight == A(0) ? A(0) : scale * weight * static_cast<A>(grad);
    }
    if (!vanishes && row_weight == A(0)) {
#pragma unroll
      for (int j = 0; j < N; ++j) losses[j] = slopes[j] = A(0);
    }
#pragma unroll
    for (int j = 0; j < N; ++j) {
      unreduced[j] = is_first ? losses[j] : unreduced[j] + losses[j];
      gradient[j] = is_first ? slopes[j] : gradient[j] + slopes[j];
    }
    if (count == N) {
#pragma unroll
      for (int j = 0; j < N; ++j) total.add(j, scale * losses[j]);
    } else {
#pragma unroll
      for (int j = 0; j < N; ++j)
        if (j < count) total.add(j, scale * losses[j]);
    }
  });
  if (over_nothing) {
    total.clear();
#pragma unroll
    for (int j = 0; j < N; ++j) gradient[j] = 0;
  }
#pragma unroll
  for (int j = 0; j < N; ++j) gradient[j] = work.of_gradient(gradient[j]);
  if (work.out.gradient.data) store(gradient, work.out.gradient.data + in_gradient, count);
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
  return total;
}

/// The bound of 1 block lets the compiler give a thread as many registers as divisions take, instead of spilling.
template <int N, class Job, class View>
__global__ void __launch_bounds__(block_threads, 1) element_kernel(Job const work, element_cut<View> const cut) {
  typename Job::factors scales;
  work.read_scales(scales);
  typename Job::value value(work, scales);
  value.each_part(work, cut.all.parts, [&](int part) {
    value.template each<1>(part_cut::first(part, threadIdx.x), cut.all.pieces, cut.all.step,
                           [&](index i) { return element_piece<N>(work, cut, i, scales); });
  });
  value.finish(work, cut.all.parts);
}

template <class View, elementwise Term, int Weights>
void check_leaf(View prediction, detail::leaf<Term, Weights> const& leaf) {
  leaf.check_weight_sizes(detail::rows_of(prediction));
  leaf.term.check_shape(prediction);
}

/// Cuts the elements into pieces, of 16 bytes if every pointer is aligned for that, and launches the kernel.
template <class Job>
void launch_elements(cuda const& backend, Job const& work) {
  using View = decltype(work.prediction);
  constexpr int N = wide_of<typename Job::T>;
  const index rows = detail::rows_of(work.prediction), columns = detail::columns_of(work.prediction);
  const bool one_line = all_without_gaps(work);
  const bool wide = is_aligned<N>(work.out.unreduced) && (one_line || !work.out.unreduced || columns % N == 0) &&
                    all_aligned<N>(work, one_line);
  const line_cut lines(one_line ? 1 : rows, one_line ? rows * columns : columns, wide ? N : 1);
  const element_cut<View> cut{lines, order_of(work.prediction), part_cut(lines.pieces())};
  const auto kernel = wide ? element_kernel<N, Job, View> : element_kernel<1, Job, View>;
  launch("evaluate: element_kernel", kernel, work.dependent(resident_grid(kernel, cut.all.parts, block_threads)),
         backend.stream(), work, cut);
}

}  // namespace hone::inline HONE_ABI::on_cuda

#include <hone/core/macros_pop.hpp>
