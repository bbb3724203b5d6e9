// SPDX-License-Identifier: MIT
/// The divisors of an objective's terms over ranks, on the device: one kernel writes those of this rank into a message,
/// and one divides by those of all ranks.
#pragma once

#include <hone/cuda/distributed/exact_value.cuh>
#include <hone/cuda/memory/device_scalar.cuh>
#include <hone/distributed/rank_reduction.hpp>
#include <hone/loss/evaluable.hpp>

#include <hone/core/macros_push.hpp>

namespace hone::inline HONE_ABI::on_cuda {

/// Returns whether only the device knows how many rows count for a term.
template <row_term Term, int Weights, class... All>
bool must_count(detail::leaf<Term, Weights> const&, detail::list<All...> const&) noexcept {
  return detail::has_labels<detail::leaf<Term, Weights>, All...>;
}
template <elementwise Term, int Weights, class... All>
bool must_count(detail::leaf<Term, Weights> const& leaf, detail::list<All...> const&) noexcept {
  return leaf.term.targets.ignoring();
}
template <boxwise Term, int Weights, class... All>
bool must_count(detail::leaf<Term, Weights> const&, detail::list<All...> const&) noexcept {
  return false;
}

/// What a row adds to the divisor of a term: 1 or target weights, or 0 if the term skips it.
template <row_term Term, int Weights, class... All>
__device__ auto count_of(detail::leaf<Term, Weights> const& leaf, detail::list<All...> const& all, index columns) {
  return counting_rows<detail::leaf<Term, Weights>, All...>{leaf, all, columns};
}
template <elementwise Term, int Weights, class... All>
__device__ auto count_of(detail::leaf<Term, Weights> const& leaf, detail::list<All...> const&, index) {
  return unignored_rows<std::remove_cvref_t<decltype(leaf.term.targets)>>{leaf.term.targets};
}
template <boxwise Term, int Weights, class... All>
__device__ auto count_of(detail::leaf<Term, Weights> const&, detail::list<All...> const&, index) {
  struct one {
    __device__ double operator()(index) const { return 1; }
  };
  return one();
}

/// Whether the device must count for each term of an objective.
template <std::size_t Terms>
struct counted_terms {
  bool at[Terms];
};

/// Adds this rank's part of the divisors to words that are 0, as detail::divisor_words has them.
template <class... Leaf>
__global__ void __launch_bounds__(block_threads)
    divisors_kernel(detail::list<Leaf...> const leaves, counted_terms<sizeof...(Leaf)> const counted,
                    device_reduction const how, index rows, index columns, index each, std::int64_t* words) {
  const bool first = blockIdx.x == 0 && threadIdx.x == 0;
  if (how.how == reduction::kind::mean_over) {
    if (first) add_exactly(words, how.device_count.is_repeated() ? how.device_count[0] : how.count);
    return;
  }
  const index thread = index(blockIdx.x) * block_threads + threadIdx.x, step = index(gridDim.x) * block_threads;
  int k = 0;
  leaves.each([&]<class L>(L const& leaf) {
    const auto count = count_of(leaf, leaves, columns);
    if constexpr (detail::divides_by_weights_of<L>) {
      exact_value sum(words);
      sum.each<1>(thread, rows, step, count);
      sum.finish();
      __syncthreads();  // the next term uses the same shared memory
      words += exact_words::count;
    } else {
      if (counted.at[k]) {
        double total = 0;
        for (index i = thread; i < rows; i += step) total += count(i);
        total = block_sum(total);
        if (threadIdx.x == 0 && total != 0) add_to_word(words, static_cast<std::int64_t>(total) * each);
      } else if (first) {
        add_to_word(words, rows * each);
      }
      ++words;
    }
    ++k;
  });
}

/// Computes the factors of the terms from the divisors of all ranks; they are 0 if a rank failed.
template <class Words>
__global__ void divide_kernel(std::int64_t const* message, reduction how, index each, double least, double* factors) {
  const auto k = static_cast<std::size_t>(threadIdx.x);
  const double divisor = Words::get(k, how, message + detail::status_words, each);
  factors[k] = message[0] != 0 ? 0 : detail::factor_of_divisor(divisor, least);
}

/// Writes the value of all ranks; NaN if a rank failed.
template <class A>
__global__ void value_kernel(std::int64_t const* message, A* value) {
  *value = message[0] != 0 ? static_cast<A>(__builtin_nan(""))
                           : detail::narrowed<A>(exact_words::value(message + detail::status_words));
}

}  // namespace hone::inline HONE_ABI::on_cuda

#include <hone/core/macros_pop.hpp>
