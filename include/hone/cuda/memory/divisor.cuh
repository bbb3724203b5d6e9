// SPDX-License-Identifier: MIT
/// The divisor of mean, if only the device knows how many rows are ignored.
#pragma once

#include <hone/cuda/memory/device_scalar.cuh>
#include <hone/cuda/run/dependent.cuh>
#include <hone/cuda/run/reduce.cuh>
#include <hone/loss/row/skipped_rows.hpp>

#include <hone/core/macros_push.hpp>

namespace hone::inline HONE_ABI::on_cuda {

/// The factor of the reduction for one term: known to the host, or written by a kernel that has counted, or computed
/// from a count of the caller in device memory.
struct scale_of_leaf {
  double known = 0;
  double const* counted = nullptr;
  numbers count{};

  __device__ double get() const {
    if (counted) return *counted;
    return count.is_repeated() ? detail::factor_of(mean, count[0]) : known;
  }
};

/// Computes the factor of mean, if each row counts weight(row) · each.
template <class Weight>
__global__ void __launch_bounds__(block_threads)
    count_kernel(index rows, Weight const weight, double each, double* factor, grid_scratch scratch) {
  allow_dependents();
  double total = 0;
  for (index i = index(blockIdx.x) * block_threads + threadIdx.x; i < rows; i += index(gridDim.x) * block_threads)
    total += weight(i);
  grid_sum(total, scratch, [&](double x) { *factor = detail::factor_of(mean, x * each); });
}

/// Returns whether a row counts for a target: it is not ignored, and its labels are classes.
template <class Target>
HONE_HD bool row_counts(Target const& target, index row, index columns) noexcept {
  return static_cast<bool>(!target.ignores(row) & target.labels_fit(row, columns));
}
template <class Leaf, class... All>
HONE_HD bool skips(Leaf const& leaf, detail::list<All...> const& leaves, index row, index columns) noexcept {
  return detail::any_target_of(leaf, leaves, [=](auto const& t) { return !row_counts(t, row, columns); });
}

/// Returns 1 for rows that element-wise targets do not ignore, 0 for others.
template <class Targets>
struct unignored_rows {
  Targets targets;

  __device__ double operator()(index i) const { return targets.ignores(i) ? 0 : 1; }
};

/// Returns 1, or the target weights of the labels, for rows that count for a row term, 0 for others.
template <class Leaf, class... All>
struct counting_rows {
  Leaf leaf;
  detail::list<All...> leaves;
  index columns;

  __device__ double operator()(index i) const {
    if (skips(leaf, leaves, i, columns)) return 0;
    if constexpr (detail::divides_by_weights<typename Leaf::term_type>)
      return leaf.term.target.label_weight(i, leaf.term.target.weights);
    return 1;
  }
};

}  // namespace hone::inline HONE_ABI::on_cuda

#include <hone/core/macros_pop.hpp>
