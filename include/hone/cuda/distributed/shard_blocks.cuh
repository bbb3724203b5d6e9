// SPDX-License-Identifier: MIT
/// Blocks of rows of a shard of the classes: between the steps of a block, ranks exchange what they know of its rows,
/// on a stream of their own while the next block is swept.
#pragma once

#include <hone/cuda/distributed/message.cuh>
#include <hone/cuda/distributed/shard_worker.cuh>

#include <hone/core/macros_push.hpp>

namespace hone::inline HONE_ABI::on_cuda {

inline constexpr index rows_to_overlap = 2048;  // fewer rows are one block
inline constexpr int warp_columns = 1024;       // longer rows are those of a block of threads

/// Returns how many blocks of rows there are. It follows from the rows alone: a rank that counts the classes wrongly
/// has the same messages as all others, which then refuse its claim.
constexpr index blocks_of_rows(index rows) noexcept { return rows == 0 ? 0 : rows < rows_to_overlap ? 1 : 2; }
constexpr row_block block_of_rows(index rows, index block) noexcept {
  const index blocks = blocks_of_rows(rows);
  return {rows * block / blocks, rows * (block + 1) / blocks};
}

/// Returns how many vectors of N elements, `bytes` each in all views, a thread holds of a row: two at most of several
/// views in double, which take the registers of others.
constexpr int slots_of_shard(int N, int bytes) noexcept {
  const int slots = slots_for(row_kernel::streamed, N, bytes);
  return N == 2 && bytes > 16 && slots > 2 ? 2 : slots;
}

constexpr int larger_count(int a, int b) noexcept { return a < b ? b : a; }

/// Whether messages have a stream of their own.
template <class C>
bool overlaps(C const& ranks, index rows) {
  return blocks_of_rows(rows) > 1 && int(ranks.size()) > 1;
}

/// The steps of an objective, and its messages. Leaf: those of the shard.
template <class Job>
struct shard_plan {
  using memory_type = shard_memory<Job>;
  using message = typename memory_type::message;
  static constexpr int steps = 2 + (message::later > 0) + (message::close > 0);

  static constexpr shard_step step(int k) noexcept {
    if (k == 0) return shard_step::gather;
    if (k + 1 == steps) return shard_step::finish;
    return k == 1 && message::later > 0 ? shard_step::later : shard_step::close;
  }
  /// Calls visit(k, block of rows) in the order in which all ranks take the steps: a block is a step behind the one
  /// before it.
  template <class Visit>
  static void each_step(index rows, Visit const& visit) {
    const index blocks = blocks_of_rows(rows);
    for (index turn = 0; turn < blocks + steps - 1 && blocks > 0; ++turn)
      for (int k = 0; k < steps; ++k)
        if (const index block = turn - k; block >= 0 && block < blocks) visit(k, block);
  }
  /// Calls sum(numbers, count) or max(numbers, count) for the messages after a step; raise() lies between those of
  /// gather.
  template <class Max, class Raise, class Sum>
  static void each_message(memory_type const& at, int k, row_block rows, index claims, Max const& max,
                           Raise const& raise, Sum const& sum) {
    const auto of_rows = [&](double* numbers, int of_row) { return numbers + rows.begin * of_row; };
    const bool first = rows.begin == 0;
    switch (step(k)) {
      case shard_step::gather:
        max(of_rows(at.maxima, message::maxima), rows.size() * message::maxima);
        raise();
        return sum(first ? at.claims : of_rows(at.sums, message::sums),
                   rows.size() * message::sums + (first ? claims : 0));
      case shard_step::later:
        return sum(of_rows(at.later, message::later), rows.size() * message::later);
      case shard_step::close:
        return sum(of_rows(at.close, message::close), rows.size() * message::close);
      case shard_step::finish:
        return;
    }
  }
};

/// Enqueues all blocks of a call. Job: that of the shard's leaves.
template <class Job, class C>
class shard_blocks {
  using plan = shard_plan<Job>;
  using message = typename plan::message;
  static_assert(2 * (plan::steps - 1) <= side_stream::marks);

 public:
  shard_blocks(cuda& backend, C const& ranks, Job const& job, shard_memory<Job> const& memory, shard_claim claim,
               std::uint64_t print)
      : backend_(backend), ranks_(ranks), job_(job), memory_(memory), claim_(claim), print_(print) {
    constexpr int N = wide_of<typename Job::T>;
    cut_ = {static_cast<int>(job.prediction.columns), {}};
    wide_ = cut_.columns >= N && all_aligned<N>(job, false);
  }

  void run() const {
    const index rows = job_.prediction.rows;
    side_stream const* const side = overlaps(ranks_, rows) ? &backend_.side() : nullptr;
    plan::each_step(rows, [&](int k, index block) {
      const row_block of_block = block_of_rows(rows, block);
      const auto mark = [&](int step) { return 2 * step + int(block % 2); };
      if (side && k > 0) side->join(backend_.stream(), mark(k - 1));
      sweep(plan::step(k), of_block);
      if (k + 1 == plan::steps) return;
      if (side) side->fork(backend_.stream());
      exchange(k, of_block, side ? side->get() : backend_.stream());
      if (side) side->mark(mark(k));
    });
  }

 private:
  void exchange(int k, row_block rows, cudaStream_t stream) const {
    const int size = int(ranks_.size());
    plan::each_message(
        memory_, k, rows, count_of_claims(size),
        [&](double* numbers, index count) { ranks_.max(numbers, static_cast<std::size_t>(count), stream); },
        [&] {
          launch("evaluate: rise_kernel", rise_kernel<Job>, {blocks_for(rows.size()), block_threads}, stream, job_,
                 memory_, rows, claim_, print_, int(ranks_.rank()), size);
        },
        [&](double* numbers, index count) { ranks_.sum(numbers, static_cast<std::size_t>(count), stream); });
    if (k == 0 && rows.begin == 0)
      launch("evaluate: check_claims_kernel", check_claims_kernel<block_threads>, {1, block_threads}, stream,
             memory_.claims, size, &memory_.state->bad);
  }

  void sweep(shard_step step, row_block rows) const {
    switch (step) {
      case shard_step::gather:
        if (cut_.columns > 0) return launch_step<shard_step::gather>(rows);
        return launch("evaluate: each_row_kernel", each_row_kernel<nothing_known>,
                      {blocks_for(rows.size()), block_threads}, backend_.stream(), rows,
                      nothing_known{static_cast<double>(lowest_number<typename Job::A>), memory_.own, memory_.maxima,
                                    memory_.sums, message::maxima, message::sums});
      case shard_step::later:
        if constexpr (message::later > 0) between<shard_step::later>(rows, memory_.later, message::later);
        return;
      case shard_step::close:
        if constexpr (message::close > 0) between<shard_step::close>(rows, memory_.close, message::close);
        return;
      case shard_step::finish:
        conclude<shard_step::finish>(rows);
        if (job_.out.gradient.data && cut_.columns > 0) launch_step<shard_step::finish>(rows);
        return;
    }
  }
  template <shard_step Step>
  void between(row_block rows, double* numbers, int of_row) const {
    conclude<Step>(rows);
    if (cut_.columns > 0) return launch_step<Step>(rows);
    check(cudaMemsetAsync(numbers + rows.begin * of_row, 0,
                          static_cast<std::size_t>(rows.size() * of_row) * sizeof(double), backend_.stream()),
          "cudaMemsetAsync");
  }
  template <shard_step Step>
  void conclude(row_block rows) const {
    launch("evaluate: conclude_kernel", conclude_kernel<Step, Job>, {blocks_for(rows.size()), block_threads},
           backend_.stream(), job_, memory_, rows);
  }
  template <shard_step Step>
  void launch_step(row_block rows) const {
    constexpr int N = wide_of<typename Job::T>;
    constexpr int slots = slots_of_shard(N, size_of_views<views_of_job<Job>, typename Job::A>::bytes);
    if (cut_.columns <= warp_columns)
      wide_ ? launch_shape<shard_shape<8, true, N, slots>, Step>(rows)
            : launch_shape<shard_shape<8, false, N, slots>, Step>(rows);
    else
      wide_ ? launch_shape<shard_shape<1, true, N, slots>, Step>(rows)
            : launch_shape<shard_shape<1, false, N, slots>, Step>(rows);
  }
  template <class Shape, shard_step Step>
  void launch_shape(row_block rows) const {
    const int blocks = grid_for((rows.size() + Shape::rows - 1) / Shape::rows);
    launch("evaluate: shard_kernel", shard_kernel<Shape, Step, Job>, {blocks, Shape::threads}, backend_.stream(), job_,
           cut_, rows, memory_);
  }

  cuda& backend_;
  C const& ranks_;
  Job const& job_;
  shard_memory<Job> const& memory_;
  row_cut cut_;
  bool wide_;
  shard_claim claim_;
  std::uint64_t print_;
};

/// Takes part in all messages of a call as a rank that failed: the others' values are NaN, their gradients 0.
template <class Job, class C>
void send_failed_shard(cuda& backend, C const& ranks, index rows) {
  using plan = shard_plan<Job>;
  using message = typename plan::message;
  const index claims = count_of_claims(int(ranks.size()));
  constexpr int most =
      larger_count(larger_count(message::maxima, message::sums), larger_count(message::later, message::close));
  backend.reserve(workspace_alignment + static_cast<std::size_t>(claims + rows * most) * sizeof(double));
  const device_of_stream device(backend.placed());
  auto* const numbers = reinterpret_cast<double*>(workspace_of_kernels(backend));
  const auto fill = [&](double x, index count) {
    launch("evaluate: each_row_kernel", each_row_kernel<filled_numbers>, {blocks_for(count), block_threads},
           backend.stream(), row_block{0, count}, filled_numbers{x, numbers});
  };
  plan::each_step(rows, [&](int k, index block) {
    plan::each_message(
        {}, k, block_of_rows(rows, block), claims,
        [&](double*, index count) {
          fill(static_cast<double>(lowest_number<typename Job::A>), count);
          ranks.max(numbers, static_cast<std::size_t>(count), backend.stream());
        },
        [] {},
        [&](double*, index count) {
          fill(0, count);
          if (k == 0 && block == 0) fill(1, 1);
          ranks.sum(numbers, static_cast<std::size_t>(count), backend.stream());
        });
  });
}

}  // namespace hone::inline HONE_ABI::on_cuda

#include <hone/core/macros_pop.hpp>
