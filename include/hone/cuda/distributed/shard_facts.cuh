// SPDX-License-Identifier: MIT
/// What ranks tell each other of their shards of the classes, and the check of it on the device, because the host does
/// not wait. It travels at the head of the first sum of a call, as doubles, which are exact: every number but one is 0.
#pragma once

#include <hone/core/list.hpp>
#include <hone/cuda/memory/divisor.cuh>
#include <hone/cuda/run/reduce.cuh>
#include <hone/distributed/same_on_ranks.hpp>
#include <hone/loss/row/term.hpp>

#include <hone/core/macros_push.hpp>

namespace hone::inline HONE_ABI::on_cuda {

/// What a rank says of its shard: its classes, how many there are on all ranks, and a fingerprint of what must be the
/// same on each.
struct shard_claim {
  double first, columns, classes, print;

  static constexpr int size = 4;

  __device__ double get(index i) const { return i == 0 ? first : i == 1 ? columns : i == 2 ? classes : print; }
};

/// The words of the message: how many ranks failed, then the claim of each.
constexpr index count_of_claims(int ranks) noexcept { return 1 + index(ranks) * shard_claim::size; }

/// The state of a call on the device.
struct alignas(16) shard_state {
  unsigned long long print;  // the sum of the fingerprints of the rows
  double value;              // of the blocks of rows so far
  int bad;                   // whether the shards of all ranks do not have each class once, or a rank failed
};

/// The fingerprint of a row. A target sends its parts here (target/target.hpp).
struct row_print {
  std::uint64_t value;

  __device__ void add(std::uint64_t x) { value = detail::checksum64::mixed(value ^ detail::checksum64::mixed(x + 1)); }
  __device__ void add(double x) { add(__builtin_bit_cast(std::uint64_t, x)); }

  __device__ void label(index c, auto weight) { add(static_cast<std::uint64_t>(c)), add(static_cast<double>(weight)); }
  __device__ void uniform(auto weight) { add(static_cast<double>(weight)); }
  __device__ void dense(auto const&, auto weight) { add(static_cast<double>(weight)); }
};

/// What must be the same on every rank: the factors of the reduction, the weights of the rows, and their labels.
template <class A, class... Leaf>
struct shared_rows {
  detail::list<Leaf...> leaves;
  scale_of_leaf scales[sizeof...(Leaf)];
  index rows, classes;

  __device__ std::uint64_t print_of(index row) const {
    row_print print{static_cast<std::uint64_t>(row)};
    leaves.each([&](auto const& leaf) {
      using Term = typename std::remove_cvref_t<decltype(leaf)>::term_type;
      print.add(static_cast<double>(leaf.template factor_of_row<A>(row)));
      if constexpr (row::has_target<Term>) {
        const bool ignored = leaf.term.target.ignores(row);
        print.add(std::uint64_t(ignored));
        if (!ignored) leaf.term.target.visit(row, classes, A(1), print);
      }
    });
    return print.value;
  }
  __device__ std::uint64_t print_of_reduction() const {
    row_print print{~std::uint64_t(0)};
    print.add(static_cast<std::uint64_t>(rows));
    for (scale_of_leaf const& scale : scales) print.add(scale.get());
    return print.value;
  }
};

/// Adds the fingerprints of all rows to a number that is 0: integers, so that no order changes a bit.
template <class Rows>
__global__ void __launch_bounds__(block_threads) print_kernel(Rows const rows, unsigned long long* print) {
  std::uint64_t total = blockIdx.x == 0 && threadIdx.x == 0 ? rows.print_of_reduction() : 0;
  for (index i = index(blockIdx.x) * block_threads + threadIdx.x; i < rows.rows; i += index(gridDim.x) * block_threads)
    total += rows.print_of(i);
  for (int step = 16; step > 0; step /= 2)
    total += __shfl_xor_sync(all_lanes, static_cast<unsigned long long>(total), step);
  if (threadIdx.x % 32 == 0) atomicAdd(print, static_cast<unsigned long long>(total));
}

/// Writes this rank's part of the message, by one block.
__device__ inline void write_claims(shard_claim claim, std::uint64_t print, int rank, int ranks, double* to) {
  claim.print = static_cast<double>(detail::checksum64::mixed(print) >> 12);  // 52 bits
  const index count = 1 + index(ranks) * shard_claim::size, at = 1 + index(rank) * shard_claim::size;
  for (index i = threadIdx.x; i < count; i += blockDim.x)
    to[i] = i >= at && i < at + shard_claim::size ? claim.get(i - at) : 0;
}

/// Tells by the message of all ranks whether together they have each class once and were called alike; one block.
template <int Threads>
__global__ void __launch_bounds__(Threads) check_claims_kernel(double const* message, int ranks, int* bad) {
  const auto claim_of = [=](index r) {
    double const* at = message + 1 + r * shard_claim::size;
    return shard_claim{at[0], at[1], at[2], at[3]};
  };
  const shard_claim one = claim_of(0);
  bool wrong = message[0] != 0, in_order = true;
  double columns = 0;
  for (index r = threadIdx.x; r < ranks; r += Threads) {
    const shard_claim mine = claim_of(r), before = r > 0 ? claim_of(r - 1) : shard_claim{};
    wrong |= mine.classes != one.classes || mine.print != one.print;
    wrong |= !(mine.first >= 0 && mine.first + mine.columns <= one.classes);
    in_order &= mine.first == before.first + before.columns;
    columns += mine.columns;
  }
  if (!__syncthreads_and(in_order))
    for (index r = threadIdx.x; r < ranks; r += Threads)
      for (index k = 0; k < r; ++k) {
        const shard_claim a = claim_of(r), b = claim_of(k);
        wrong |= a.columns > 0 && b.columns > 0 && a.first < b.first + b.columns && b.first < a.first + a.columns;
      }
  columns = block_sum(columns);
  wrong |= threadIdx.x == 0 && columns != one.classes;
  wrong = __syncthreads_or(wrong);
  if (threadIdx.x == 0) *bad = wrong;
}

}  // namespace hone::inline HONE_ABI::on_cuda

#include <hone/core/macros_pop.hpp>
