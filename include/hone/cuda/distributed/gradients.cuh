// SPDX-License-Identifier: MIT
/// The kernels that sum gradients over ranks: one adds the blocks of this rank to the message, one reads the message of
/// all ranks.
#pragma once

#include <hone/cuda/distributed/device_sharded_list.cuh>
#include <hone/cuda/distributed/device_step_sums.cuh>
#include <hone/cuda/tensors/gradient_factors.cuh>
#include <hone/cuda/tensors/list_piece.cuh>
#include <hone/cuda/tensors/norms.cuh>
#include <hone/cuda/tensors/pairs.cuh>

#include <hone/core/macros_push.hpp>

namespace hone::inline HONE_ABI::on_cuda {

/// The one message of a step: the status, Σ g², Σ y², Σ |g| and Σ |y| as exact sums, those of the trainer, and the
/// largest number of each rank.
struct gradient_message {
  static constexpr int sums = 4;
  static constexpr int at_sums = detail::status_words, at_step = at_sums + sums * exact_words::count,
                       at_largest = at_step + step_words::count;

  std::int64_t* words;
  int rank, ranks;

  static index count(int ranks) noexcept { return at_largest + index(ranks); }
};

/// Returns the sums of at most shard_block numbers, in an order that does not depend on their address.
template <class T>
__device__ power_sums block_sums(T const* g, int n, int lane, norm_request how) {
  constexpr int N = wide_of<T>;
  const bool aligned = reinterpret_cast<std::uintptr_t>(g) % 16 == 0;
  power_sums s;
  for (int i = lane * N; i < n; i += 32 * N) {
    const int count = n - i < N ? n - i : N;
    accumulator_t<T> x[N] = {};
    if (count == N)
      load_all(g + i, x, aligned);
    else
      load(g + i, x, count);
    add_numbers(s, x, count, how);
  }
  return how.squares_only ? warp_total_of_squares(s) : warp_total(s);
}

/// The sums of blocks that a warp has computed: a lane keeps those of one block, so that all lanes add theirs at once.
class kept_blocks {
 public:
  /// By complete warps, with the same arguments.
  template <class Shared>
  __device__ void keep(power_sums const& s, int lane, Shared& to, bool squares_only) {
    if (lane == held_) mine_ = s;
    if (++held_ == 32) flush(lane, to, squares_only);
  }
  template <class Shared>
  __device__ void flush(int lane, Shared& to, bool squares_only) {
    if (lane < held_) {
      to.add(0, mine_.g_squares);
      if (!squares_only) to.add(1, mine_.squares), to.add(2, mine_.g_absolute), to.add(3, mine_.absolute);
    }
    held_ = 0;
    __syncwarp();
  }

 private:
  power_sums mine_;
  int held_ = 0;
};

/// Calls body(first, count) for the blocks of a line, or of a part of it, in a piece. `place` is that of the line in a
/// block of the whole line. A part begins and ends where a block does.
template <class Body>
__device__ void each_block(index first, index n, index numbers, index place, Body const& body) {
  constexpr index block = shard_block;
  static_assert(list_piece % block == 0);
  index begin = 0, end = n, next = block;
  if (place != 0) {
    const index in_line = first % numbers;
    if (in_line + n < numbers) end -= place;
    if (in_line > 0) begin -= place;
    next -= place;
  }
  for (; begin < end; begin = next, next += block)
    body(first + begin, static_cast<int>(detail::smaller(next, end) - begin));
}

/// Adds the blocks of this rank to the message, whose words are 0, and the trainer's sums, if any.
template <class T>
__global__ void __launch_bounds__(block_threads, 1)
    sum_blocks_kernel(list_table<T> const lines, T* const* counted, index const* places, device_plan const plan,
                      gradient_message const message, step_totals* totals) {
  __shared__ shared_piece at;
  __shared__ shared_exact_sums<gradient_message::sums> sums;
  const int lane = static_cast<int>(threadIdx.x) % 32, warp = static_cast<int>(threadIdx.x) / 32;
  const int warps = static_cast<int>(blockDim.x) / 32;
  const norm_request how = plan.chain.sums(plan.scale());
  kept_blocks kept;
  double largest = 0;
  sums.clear();
  for (index piece = blockIdx.x; piece < lines.pieces; piece += gridDim.x) {
    at.read(lines, counted, piece);
    detail::unit_cut const& cut = at.cut();
    T const* const g = at.data_of<T const>();
    const bool counts = at.other != nullptr;
    const index place = places ? places[at.tensor] : 0;
    int turn = 0;
    at.visit(
        piece,
        [&](index, index, index first, index n) {
          each_block(first, n, cut.units.columns, place, [&](index begin, int count) {
            if (turn++ % warps != warp) return;
            power_sums s = block_sums(g + begin, count, lane, how);
            largest = s.largest > largest ? s.largest : largest;
            if (!counts) {
              if (detail::finite(s.g_squares)) return;
              s = {s.g_squares};  // not counted: it only says that a number is not finite
            }
            kept.keep(s, lane, sums, how.squares_only);
          });
        },
        [](index, index, index, index) {});  // lines are no columns
  }
  kept.flush(lane, sums, how.squares_only);
  sums.add_to(message.words + gradient_message::at_sums);
  if (lane == 0 && largest > 0) raise_word(message.words + gradient_message::at_largest + message.rank, largest);
  const int k = static_cast<int>(threadIdx.x);
  if (totals && blockIdx.x == 0 && k < step_words::sums + step_words::integers)
    step_words::put(*totals, k, message.words + gradient_message::at_step);
}

/// Computes the report by the message of all ranks, whose coefficient is the factor of all numbers, and the trainer's
/// sums; by one block.
template <class Plan>
__global__ void __launch_bounds__(block_threads, 1)
    settle_ranks_kernel(gradient_message const message, Plan const plan, index slots, unit_sums const to,
                        gradient_report* copy, step_totals* totals) {
  constexpr int sums = gradient_message::sums;
  __shared__ double of[sums], of_warp[block_threads / 32];
  const int k = static_cast<int>(threadIdx.x);
  const bool failed = message.words[0] != 0;
  if (k < sums) of[k] = exact_words::value(message.words + gradient_message::at_sums + k * exact_words::count);
  if (totals && !failed && k >= 32 && k < 32 + step_words::sums + step_words::integers)
    step_words::take(*totals, k - 32, message.words + gradient_message::at_step);
  double largest = 0;
  for (int r = k; r < message.ranks; r += block_threads) {
    const double x = __builtin_bit_cast(double, message.words[gradient_message::at_largest + r]);
    largest = x > largest ? x : largest;
  }
  largest = warp_norm(largest, detail::infinity);
  if (k % 32 == 0) of_warp[k / 32] = largest;
  __syncthreads();
  for (int w = 0; w < block_threads / 32; ++w) largest = of_warp[w] > largest ? of_warp[w] : largest;
  const double scale = plan.scale();
  const bool squares_only = plan.chain.squares_only(scale);
  norms_of_all norms{{failed ? __builtin_nan("") : of[0], of[2], of[squares_only ? 0 : 1], of[3], largest},
                     plan.chain.before};
  const gradient_report report = detail::settle(plan.chain, scale, norms);
  for (index s = k; s < slots; s += block_threads) to.sums[s].largest = largest;
  if (k != 0) return;
  *to.report = report;
  if (copy) *copy = report;
}

}  // namespace hone::inline HONE_ABI::on_cuda

#include <hone/core/macros_pop.hpp>
