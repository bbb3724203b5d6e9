// SPDX-License-Identifier: MIT
/// What is known of the rows of a shard of the classes, in device memory, and the kernels with a thread per row between
/// the messages of ranks. What all ranks conclude of a row is computed here, by one kernel for shards of every size, so
/// that every rank has the same bits.
#pragma once

#include <hone/cuda/distributed/shard_facts.cuh>
#include <hone/cuda/memory/job.cuh>
#include <hone/cuda/rows/term_state.cuh>
#include <hone/cuda/simd/device_float.cuh>
#include <hone/distributed/row_message.hpp>

#include <hone/core/macros_push.hpp>

namespace hone::inline HONE_ABI::on_cuda {

/// gather: what the shard knows of a row. later, close: the sums of these sweeps. finish: the outputs.
enum class shard_step : unsigned char { gather, later, close, finish };

/// Rows [begin, end).
struct row_block {
  index begin, end;

  HONE_HD index size() const { return end - begin; }
};

/// What the sweeps of a shard read of a row: conclusions from what all ranks know.
template <class A, class Term>
struct term_conclusion {
  A max[row::count_of<Term>];  // of each statistic
  int is_close;                // if the term has a close sweep
  row::start_type<A, Term> start;
  row::result_type<A, Term> result;
};
template <class A, class... Leaf>
struct row_conclusion {
  A max;
  detail::list<term_conclusion<A, typename Leaf::term_type>...> terms;
};

/// The memory of a call: numbers of rows, row after row.
template <class Job>
struct shard_memory;
template <class View, class... Leaf>
struct shard_memory<job<View, Leaf...>> {
  using A = operand_of<typename job<View, Leaf...>::A>;
  using message = row::message_of<typename Leaf::term_type...>;
  using conclusion = row_conclusion<A, Leaf...>;

  shard_state* state;
  double *claims, *sums;  // side by side, for claims travel with the sums of the first block of rows
  double *own, *maxima, *later, *close;
  conclusion* rows;

  /// Places all arrays in a workspace, from byte `at`; returns the bytes in use.
  std::size_t place(void* workspace, std::size_t at, index row_count, int ranks) noexcept {
    const auto take = [&](auto*& to, index count) {
      to = reinterpret_cast<std::remove_reference_t<decltype(to)>>(static_cast<char*>(workspace) + at);
      at += aligned_bytes(static_cast<std::size_t>(count) * sizeof *to);
    };
    take(state, 1), take(claims, count_of_claims(ranks) + row_count * message::sums);
    sums = claims + count_of_claims(ranks);
    take(own, row_count * message::maxima), take(maxima, row_count * message::maxima);
    take(later, row_count * message::later), take(close, row_count * message::close);
    take(rows, row_count);
    return at;
  }
};

/// Stores that a shard without classes knows nothing of a row. A maximum is the lowest number of the arithmetic.
struct nothing_known {
  double lowest;
  double *own, *maxima, *sums;
  int maxima_of_row, sums_of_row;

  HONE_HD void operator()(index row) const {
    for (int k = 0; k < maxima_of_row; ++k) own[row * maxima_of_row + k] = maxima[row * maxima_of_row + k] = lowest;
    for (int k = 0; k < sums_of_row; ++k) sums[row * sums_of_row + k] = 0;
  }
};
struct filled_numbers {
  double x;
  double* at;

  HONE_HD void operator()(index i) const { at[i] = x; }
};
/// Calls body(i) for i in a range, with one thread for each.
template <class Body>
__global__ void __launch_bounds__(block_threads) each_row_kernel(row_block rows, Body const body) {
  const index step = index(gridDim.x) * block_threads;
  for (index i = rows.begin + index(blockIdx.x) * block_threads + threadIdx.x; i < rows.end; i += step) body(i);
}

/// Makes the sums of this rank relative to the maxima of all. The first block of rows writes the rank's claim.
template <class Job>
__global__ void __launch_bounds__(block_threads, 1)
    rise_kernel(Job const job, shard_memory<Job> const memory, row_block rows, shard_claim claim, std::uint64_t print,
                int rank, int ranks) {
  using message = typename shard_memory<Job>::message;
  if (rows.begin == 0 && blockIdx.x == 0) write_claims(claim, print + memory.state->print, rank, ranks, memory.claims);
  const index step = index(gridDim.x) * block_threads;
  for (index i = rows.begin + index(blockIdx.x) * block_threads + threadIdx.x; i < rows.end; i += step)
    row::rise_to(job.leaves, memory.own + i * message::maxima, memory.maxima + i * message::maxima,
                 memory.sums + i * message::sums);
}

/// Concludes from what all ranks know of a row, up to a step.
template <shard_step Step, class Job>
struct concluded_rows;
template <shard_step Step, class View, class... Leaf>
struct concluded_rows<Step, job<View, Leaf...>> {
  using job_type = job<View, Leaf...>;
  using memory_type = shard_memory<job_type>;
  using message = typename memory_type::message;
  using A = typename memory_type::A;
  static constexpr bool first = Step == shard_step::later || message::later == 0;
  static constexpr bool starts = first && (Step != shard_step::finish || message::close == 0);

  job_type const& work;
  memory_type const& memory;
  typename job_type::factors const& reduction;

  /// Returns Σ scale · factor · weight · loss of the last step, and stores the loss; NaN where the shards do not fit.
  __device__ double conclude(index row) const {
    A weight[sizeof...(Leaf)];
    bool counts = false;
    each([&](auto i, auto const& leaf) {
      weight[i()] = skips(leaf, work.leaves, row, work.prediction.columns) ? A(0) : leaf.template factor_of_row<A>(row);
      counts |= weight[i()] != A(0);
      if constexpr (Step == shard_step::finish) count_invalid_labels(leaf, row);
    });
    double total = 0;
    A loss = 0;
    if (counts) {
      known_row from(work, memory, row);
      memory.rows[row].max = from.base.max;
      each([&](auto i, auto const& leaf) {
        auto& to = detail::at<std::size_t(i())>(memory.rows[row].terms);
        conclude_term(leaf.term, row, from, to);
        if constexpr (Step == shard_step::finish) {
          if (weight[i()] == A(0)) return;
          loss += weight[i()] * to.result.loss;
          const A scale = weight[i()] * A(reduction[i()]);
          if (reduction[i()] != 0) total += static_cast<double>(scale * to.result.loss);
        }
      });
    }
    if constexpr (Step == shard_step::finish)
      if (work.out.unreduced) {
        if (memory.state->bad) loss = A(__builtin_nan(""));
        work.out.unreduced[row] = detail::narrowed<typename job_type::A>(loss);
      }
    return total;
  }

 private:
  /// The messages of a row, and how many of their numbers earlier terms have taken.
  struct known_row {
    double sums[message::sums];
    double const *maxima, *later, *close;
    row::normaliser<A> base;
    int sum = 1;

    __device__ known_row(job_type const& work, memory_type const& memory, index row)
        : maxima(memory.maxima + row * message::maxima),
          later(memory.later + row * message::later),
          close(memory.close + row * message::close) {
#pragma unroll
      for (int k = 0; k < message::sums; ++k) sums[k] = memory.sums[row * message::sums + k];
      row::settle(work.leaves, sums);
      const A total(sums[0]);
      base = {A(*maxima++), total, log(total), A(1) / total};
    }
  };

  template <class Term>
  __device__ void conclude_term(Term const& term, index row, known_row& from, term_conclusion<A, Term>& to) const {
    row::knowledge<A, Term> known;
    known.base = from.base;
    row::each_statistic<Term>([&](auto k) {
      using S = row::statistic<k(), Term>;
      if constexpr (std::same_as<S, row::number>) known.s.sum[k()] = row::number_of<A>(term, row);
      known.s.max[k()] = row::has_own_maximum<S> ? A(*from.maxima++) : from.base.max;
      to.max[k()] = known.s.max[k()];
    });
    row::each_sum_of_classes(known.s, [&](A& x) { x = A(from.sums[from.sum++]); });
    if constexpr (row::has_later_sweeps<Term>) {
      if constexpr (starts)
        to.start = known.start = row::start_of(term, known.s, known.base);
      else
        known.start = to.start;  // the bits that others have decided by
    }
    if constexpr (Step != shard_step::later)
      for (int k = 0; k < row::later_size<Term>; ++k) known.later[k] = A(*from.later++);
    if constexpr (Step == shard_step::close && row::close_size<Term> > 0) to.is_close = row::is_close_of(term, known);
    if constexpr (Step == shard_step::finish) {
      for (int k = 0; k < row::close_size<Term>; ++k) known.close[k] = A(*from.close++);
      to.result = row::finish_of(term, known);
    }
  }

  template <class Body>
  __device__ void each(Body const& body) const {
    [&]<int... I>(std::integer_sequence<int, I...>) {
      (body(row::place<I>(), detail::at<std::size_t(I)>(work.leaves)), ...);
    }(std::make_integer_sequence<int, int(sizeof...(Leaf))>());
  }
  template <class L>
  __device__ void count_invalid_labels(L const& leaf, index row) const {
    if constexpr (row::has_target<typename L::term_type>) {
      auto const& target = leaf.term.target;
      if (work.invalid_labels && !target.ignores(row) && !target.labels_fit(row, work.prediction.columns))
        atomicAdd(work.invalid_labels, 1ULL);
    }
  }
};

/// The last step also adds the losses to the value.
template <shard_step Step, class Job>
__global__ void __launch_bounds__(block_threads, 1)
    conclude_kernel(Job const job, shard_memory<Job> const memory, row_block rows) {
  typename Job::factors reduction;
  job.read_scales(reduction);
  const concluded_rows<Step, Job> of{job, memory, reduction};
  double total = 0;
  const index step = index(gridDim.x) * block_threads;
  for (index i = rows.begin + index(blockIdx.x) * block_threads + threadIdx.x; i < rows.end; i += step)
    total += of.conclude(i);
  if (Step != shard_step::finish || !job.out.value) return;
  const bool last = rows.end == job.prediction.rows;
  grid_sum(total, job.scratch, [&](double x) {
    shard_state& state = *memory.state;
    if (rows.begin > 0) x += state.value;
    state.value = x;
    if (last) *job.out.value = detail::narrowed<typename Job::A>(state.bad ? __builtin_nan("") : x);
  });
}

}  // namespace hone::inline HONE_ABI::on_cuda

#include <hone/core/macros_pop.hpp>
