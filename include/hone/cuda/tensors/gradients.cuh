// SPDX-License-Identifier: MIT
/// The kernels of gradient transformations that read the gradients: one measures their norms, one changes them. Between
/// the two, one block computes the factors (cuda/tensors/gradient_factors.cuh): the last one of the first kernel if all
/// numbers have one factor.
#pragma once

#include <hone/cuda/tensors/gradient_factors.cuh>
#include <hone/cuda/tensors/list_piece.cuh>
#include <hone/cuda/tensors/norms.cuh>
#include <hone/gradient/scaling.hpp>

#include <hone/core/macros_push.hpp>

namespace hone::inline HONE_ABI::on_cuda {

// Bounds of few blocks per multiprocessor (of 256 threads, sm_75 has 4) let the compiler give a thread as many
// registers as divisions take, instead of spilling.

/// Calls row(slot, unit, first number, count, rank, team size) or columns(…), by complete teams of the block's threads.
template <class Row, class Columns>
__device__ void visit_piece(detail::unit_cut const& cut, index piece, Row const& row, Columns const& columns) {
  const int warps = static_cast<int>(blockDim.x) / 32, warp = static_cast<int>(threadIdx.x) / 32;
  const bool by_warps = cut.parts == 1 && cut.per_piece > 1 && cut.units.rows > 1;
  int turn = 0;
  cut.visit<list_piece>(
      piece,
      [&](index slot, index unit, index first, index n) {
        if (!by_warps) return row(slot, unit, first, n, static_cast<int>(threadIdx.x), static_cast<int>(blockDim.x));
        if (turn++ % warps == warp) row(slot, unit, first, n, static_cast<int>(threadIdx.x) % 32, 32);
      },
      columns);
}

template <class T>
__device__ power_sums column_sums(T const* g, detail::tensor_units units, norm_request how) {
  power_sums s;
  for (index r = 0; r < units.rows; ++r) {
    const accumulator_t<T> x[1] = {static_cast<accumulator_t<T>>(g[r * units.columns])};
    add_numbers(s, x, 1, how);
  }
  return s;
}

/// Measures the norm of all numbers; the last block calls finish(plan, sums, slots), which computes what follows.
template <class T, class Finish>
__global__ void __launch_bounds__(block_threads, sizeof(T) == 8 ? 3 : 4)
    measure_kernel(list_table<T> const list, device_plan const plan, unit_sums const to, unsigned* done,
                   Finish const finish) {
  __shared__ shared_piece at;
  const norm_request how = plan.chain.sums(plan.scale());
  for (index piece = blockIdx.x; piece < list.pieces; piece += gridDim.x) {
    at.read(list, static_cast<T const* const*>(nullptr), piece);
    at.visit(
        piece,
        [&](index slot, index, index first, index n) {
          const int rank = static_cast<int>(threadIdx.x), size = static_cast<int>(blockDim.x);
          power_sums s = sums_of(at.data_of<T const>() + first, n, rank, size, how);
          if (how.squares_only)
            s.g_squares = s.squares = block_sum(s.g_squares);
          else
            s = block_total(s);
          if (rank == 0) to.sums[slot] = s;
        },
        [](index, index, index, index) {});  // such lists are not cut into columns
  }
  if (is_last_block(done)) finish(plan, to, list.slots);
}

/// Measures the norms of all tensors, or of all units and their parameters.
template <class T, class W>
__global__ void __launch_bounds__(block_threads, 1)
    unit_measure_kernel(list_table<T> const list, W const* const* parameters, device_plan const plan,
                        unit_sums const to) {
  __shared__ shared_piece at;
  const norm_request how = plan.chain.sums(plan.scale()), of_weights{true, 1, 0};
  for (index piece = blockIdx.x; piece < list.pieces; piece += gridDim.x) {
    at.read(list, parameters, piece);
    detail::unit_cut const& cut = at.cut();
    T const* const g = at.data_of<T const>();
    W const* const w = at.other_of<W const>();
    visit_piece(
        cut, piece,
        [&](index slot, index, index first, index n, int rank, int size) {
          const auto total = [&](power_sums s) { return size == 32 ? warp_total(s) : block_total(s); };
          const power_sums s = total(sums_of(g + first, n, rank, size, how));
          if (rank == 0) to.sums[slot] = s;
          if (!parameters) return;
          const double squares =
              w ? total(sums_of(w + first, n, rank, size, of_weights)).squares : detail::excluded_unit;
          if (rank == 0) to.weights[slot] = squares;
        },
        [&](index slot, index, index first, index n) {
          const index c = threadIdx.x;
          if (c >= n) return;
          to.sums[slot + c] = column_sums(g + first + c, cut.units, how);
          to.weights[slot + c] = w ? column_sums(w + first + c, cut.units, of_weights).squares : detail::excluded_unit;
        });
  }
}

/// Computes in double, because not all values fit into A.
template <class A, int N>
__device__ void scale_carefully(A (&x)[N], detail::scaling const& scale_rule) {
  const detail::scaled_in<double> next(scale_rule);
#pragma unroll  // a loop would put the numbers into local memory
  for (int j = 0; j < N; ++j) x[j] = detail::narrowed<A>(next(static_cast<double>(x[j])));
}

/// Multiplies this thread's part of n numbers of a piece.
template <class T, class A>
__device__ void multiply_part(T* g, int n, int rank, int size, A by) {
  constexpr int N = wide_of<T>;
  const vector_part of = vectors_in<N>(g, n);
  const int step = size * N;
  const auto write = [&](int i, A(&x)[N]) {
#pragma unroll
    for (int j = 0; j < N; ++j) x[j] *= by;
    store_vector(narrowed_vector<T>(x), g + i);
  };
  int i = of.begin + rank * N;
#pragma unroll 1
  for (; i < of.end - step; i += 2 * step) {
    A x[N], y[N];
    load(g + i, x, N), load(g + i + step, y, N);
    write(i, x), write(i + step, y);
  }
  if (i < of.end) {
    A x[N];
    load(g + i, x, N);
    write(i, x);
  }
  single_of(of, n, rank, [&](int single) { g[single] = detail::narrowed<T>(static_cast<A>(g[single]) * by); });
}

/// Multiplies and clamps by the factors of all units, or by the coefficient of the report.
template <class T>
__global__ void __launch_bounds__(block_threads, sizeof(T) == 2 ? 3 : 4)
    apply_kernel(list_table<T> const list, device_plan const plan, unit_sums const of, bool one_factor) {
  using A = accumulator_t<T>;
  constexpr int N = wide_of<T>;
  __shared__ shared_piece at;
  __shared__ double coefficient;
  __shared__ bool finite;
  if (threadIdx.x == 0) coefficient = of.report->coefficient, finite = of.report->finite;
  __syncthreads();
  if (!finite) return;
  const detail::scaling chain = plan.chain.scale_rule(plan.scale());
  const bool clamps = chain.clamps();
  const double factor = coefficient;
  if (one_factor && !clamps && !chain.with(factor).changes(0)) return;
  for (index piece = blockIdx.x; piece < list.pieces; piece += gridDim.x) {
    at.read(list, static_cast<T const* const*>(nullptr), piece);
    detail::unit_cut const& cut = at.cut();
    T* const g = at.data_of<T>();
    visit_piece(
        cut, piece,
        [&](index slot, index unit, index first, index n, int rank, int size) {
          const detail::scaling scale_rule = chain.with(one_factor ? factor : read_by_warp(of.factors + unit));
          const double largest = clamps ? read_by_warp(&of.sums[slot].largest) : 0;
          if (!scale_rule.changes(largest)) return;
          const bool fits = scale_rule.template fits<A>(largest);
          const detail::scaled_in<A> next(scale_rule);
          if (fits && !clamps) return multiply_part(g + first, static_cast<int>(n), rank, size, next.by);
          each_piece_of<N>(g + first, n, rank, size, [&](int from, auto count) {
            A x[N] = {};
            load(g + first + from, x, count);
            if (fits) {
#pragma unroll
              for (int j = 0; j < N; ++j) x[j] = next(x[j]);
            } else {
              scale_carefully(x, scale_rule);
            }
            store(x, g + first + from, count);
          });
        },
        [&](index slot, index unit, index first, index n) {
          const index c = threadIdx.x;
          if (c >= n) return;
          const detail::scaling scale_rule = chain.with(of.factors[unit + c]);
          const double largest = of.sums[slot + c].largest;
          if (!scale_rule.changes(largest)) return;
          const bool fits = scale_rule.template fits<A>(largest);
          const detail::scaled_in<A> next(scale_rule);
          for (index r = 0; r < cut.units.rows; ++r) {
            T& of_row = g[r * cut.units.columns + first + c];
            A x[1] = {static_cast<A>(of_row)};
            if (fits)
              x[0] = next(x[0]);
            else
              scale_carefully(x, scale_rule);
            of_row = detail::narrowed<T>(x[0]);
          }
        });
  }
}

}  // namespace hone::inline HONE_ABI::on_cuda

#include <hone/core/macros_pop.hpp>
