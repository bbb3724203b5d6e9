// SPDX-License-Identifier: MIT
/// Blocks of rows of a shard of the classes: between the steps of a block, ranks exchange what they know of its rows.
#pragma once

#include <hone/core/narrowed.hpp>
#include <hone/cpu/distributed/shard_worker.hpp>
#include <hone/cpu/rows/rows.hpp>
#include <hone/distributed/communicator.hpp>

#include <algorithm>
#include <limits>
#include <span>

#include <hone/core/macros_push.hpp>

namespace hone::inline HONE_ABI::on_cpu {

/// Returns the rows that ranks exchange numbers of at once: 16 to 1024, about a mebibyte of logits per rank. They
/// follow from numbers that are the same on every rank.
inline index rows_of_block(index rows, index classes, int ranks) noexcept {
  const index each = std::max<index>(1, classes / ranks);
  const index per_block = std::clamp<index>(262144 / each / 16 * 16, 16, 1024);
  return std::max<index>(1, std::min(rows, per_block));
}

/// Exchanges what ranks know of a block of rows, and evaluates it. Ranks is a communicator.
template <class View, class Ranks, class... Leaf>
class shard_blocks {
  using job_type = row_job<View, Leaf...>;
  using worker = shard_worker<View, Leaf...>;
  using numbers_of_row = typename worker::numbers_of_row;
  using A = typename job_type::A;
  static constexpr std::size_t terms = sizeof...(Leaf);
  static constexpr int numbers_per_row =
      2 * numbers_of_row::maxima + numbers_of_row::sums + numbers_of_row::later + numbers_of_row::close + int(terms);

 public:
  /// The bytes of a block's numbers.
  static std::size_t bytes(View logits, index rows_of_block) noexcept {
    return arena::room_for<double>(static_cast<std::size_t>(rows_of_block * numbers_per_row)) +
           arena::room_for<A>(static_cast<std::size_t>(worker::kept_weights(logits, rows_of_block)));
  }
  /// Allocates what the rows need on this thread, so that nothing fails between the messages of ranks.
  static void reserve(cpu const& backend, View logits) {
    const index columns = detail::columns_of(logits);
    const auto threads = static_cast<std::size_t>(backend.threads());
    const scratch<scratch_for::rows> rows((worker::bytes(logits, columns) + 8192) * threads +
                                          chunk_shares::bytes(backend.threads()));
    const scratch<scratch_for::class_weights> weights(weight_bytes(columns));
  }
  static std::size_t weight_bytes(index columns) noexcept {
    return std::size_t((int(copies_weights<Leaf>) + ... + 0)) * arena::room_for<A>(static_cast<std::size_t>(columns));
  }

  shard_blocks(cpu const& backend, Ranks const& ranks, job_type const& job, index rows, std::byte* memory)
      : backend_(backend), ranks_(ranks), job_(job), rows_(rows), memory_(memory) {}

  /// Evaluates all rows and returns Σ scale · factor · weight · loss. Losses are added in the order of rows.
  double run() {
    const index rows = detail::rows_of(job_.prediction);
    double total[terms] = {};
    for (index begin = 0; begin < rows; begin += rows_) block(begin, std::min(begin + rows_, rows), total);
    double value = 0;
    for (std::size_t k = 0; k < terms; ++k)
      if (job_.scales[k] != 0) value += job_.scales[k] * total[k];
    return value;
  }

 private:
  void block(index begin, index end, double (&total)[terms]) {
    const auto rows = static_cast<std::size_t>(end - begin);
    arena pieces(memory_);
    double* at = pieces.template take<double>(rows * std::size_t(numbers_per_row));
    const auto take = [&](int per_row) {
      const std::span<double> piece(at, rows * static_cast<std::size_t>(per_row));
      at += piece.size();
      return piece;
    };
    const auto maxima = take(numbers_of_row::maxima), sums = take(numbers_of_row::sums),
               later = take(numbers_of_row::later), close = take(numbers_of_row::close), losses = take(int(terms)),
               own = take(numbers_of_row::maxima);
    A* const weights = pieces.template take<A>(0);
    const block_numbers numbers{begin,        maxima.data(), sums.data(), later.data(),
                                close.data(), losses.data(), own.data(),  weights};
    std::fill(maxima.begin(), maxima.end(), static_cast<double>(std::numeric_limits<A>::lowest()));
    std::fill(sums.begin(), sums.end(), 0.0);
    run<shard_step::gather>(begin, end, numbers);
    std::copy(maxima.begin(), maxima.end(), own.begin());
    ranks_.max(maxima);
    for (std::size_t i = 0; i < rows; ++i)
      row::rise_to(job_.leaves, own.data() + i * numbers_of_row::maxima, maxima.data() + i * numbers_of_row::maxima,
                   sums.data() + i * numbers_of_row::sums);
    ranks_.sum(sums);
    for (std::size_t i = 0; i < rows; ++i) row::settle(job_.leaves, sums.data() + i * numbers_of_row::sums);
    if constexpr (numbers_of_row::later > 0) {
      std::fill(later.begin(), later.end(), 0.0);
      run<shard_step::later>(begin, end, numbers);
      ranks_.sum(later);
    }
    if constexpr (numbers_of_row::close > 0) {
      std::fill(close.begin(), close.end(), 0.0);
      run<shard_step::close>(begin, end, numbers);
      ranks_.sum(close);
    }
    run<shard_step::finish>(begin, end, numbers);
    for (std::size_t i = 0; i < rows; ++i) {
      double of_row = 0;
      for (std::size_t k = 0; k < terms; ++k) {
        const double loss = losses[i * terms + k];
        total[k] += loss, of_row += loss;
      }
      if (job_.out.unreduced) job_.out.unreduced[begin + static_cast<index>(i)] = detail::narrowed<A>(of_row);
    }
  }

  template <shard_step Step>
  void run(index begin, index end, block_numbers const& numbers) {
    auto part = job_.prediction;
    part.rows = end - begin;
    const chunk_plan_t plan = chunk_plan<A>(part);
    for_chunks(backend_, plan.chunks(), worker::bytes(job_.prediction, job_.columns),
               [&](index chunk, std::byte* memory) {
                 const index from = begin + chunk * plan.rows_per_chunk;
                 worker(job_, memory, numbers).template run<Step>(from, std::min(from + plan.rows_per_chunk, end));
                 stream_fence();
               });
  }

  cpu const& backend_;
  Ranks const& ranks_;
  job_type const& job_;
  index rows_;
  std::byte* memory_;
};

}  // namespace hone::inline HONE_ABI::on_cpu

#include <hone/core/macros_pop.hpp>
