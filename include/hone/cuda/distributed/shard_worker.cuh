// SPDX-License-Identifier: MIT
/// The rows of a shard of the classes by teams of threads, in steps between which ranks add up what they know of each
/// row. Each step reads the row once.
#pragma once

#include <hone/cuda/distributed/shard_rows.cuh>
#include <hone/cuda/rows/rows.cuh>

#include <hone/core/macros_push.hpp>

namespace hone::inline HONE_ABI::on_cuda {

template <class Job, class Numbers, class Team>
class shard_worker;
template <class View, class... Leaf, class Numbers, class Team>
class shard_worker<job<View, Leaf...>, Numbers, Team> : row_worker<job<View, Leaf...>, Numbers, Team, false> {
  using job_type = job<View, Leaf...>;
  using base_type = row_worker<job_type, Numbers, Team, false>;
  using memory_type = shard_memory<job_type>;
  using message = typename memory_type::message;
  using A = typename memory_type::A;

 public:
  using base_type::base_type;

  template <shard_step Step>
  __device__ void run(index row, memory_type const& memory) {
    bool counts = false, live = false;
    this->each([&](auto& l, auto const& leaf, A reduction) {
      l.begin(leaf, this->job_.leaves, reduction, row, this->columns_, this->team_, nullptr);
      counts |= l.weight != A(0);
      live |= l.scale != A(0);
    });
    if constexpr (Step == shard_step::finish) {
      if (live && !memory.state->bad) {
        recall<Step>(row, memory);
        this->template write_gradient<false>();  // no logits of labels: they may be those of another rank
      } else {
        this->numbers_.clear(row);
      }
    } else if constexpr (Step == shard_step::gather) {
      if (counts) {
        this->numbers_.begin(row);
        base_type::gather();
      }
      if (this->team_.rank() == 0) store_gathered(row, memory, counts);
    } else {
      if (counts) {
        recall<Step>(row, memory);
        if constexpr (Step == shard_step::later)
          this->later_sweep();
        else if (is_close())
          this->sum_close();
      }
      if (this->team_.rank() == 0) store_swept<Step>(row, memory, counts);
    }
  }

 private:
  /// Stores the maxima of the shard and the sums relative to them. A shard whose classes are all masked has a finite
  /// maximum.
  __device__ void store_gathered(index row, memory_type const& memory, bool counts) {
    double* const own = memory.own + row * message::maxima;
    double* const maxima = memory.maxima + row * message::maxima;
    double* const sums = memory.sums + row * message::sums;
    int max = 0, sum = 0;
    const auto put_maximum = [&](A x) {
      own[max] = maxima[max] = counts ? static_cast<double>(x) : lowest_number<typename job_type::A>;
      ++max;
    };
    const auto put_sum = [&](A x) { sums[sum++] = counts ? static_cast<double>(x) : 0; };
    put_maximum(this->max_);
    put_sum(this->total_);
    this->each([&](auto& l, auto const&, A) {
      this->sum_labels(l);
      row::each_own_maximum(l.known.s, put_maximum);
      row::each_sum_of_classes(l.known.s, put_sum);
    });
  }
  template <shard_step Step>
  __device__ void store_swept(index row, memory_type const& memory, bool counts) {
    int at = 0;
    const auto put = [&](double* numbers, int of_row, A x) {
      numbers[row * of_row + at++] = counts ? static_cast<double>(x) : 0;
    };
    this->each([&]<class L>(L& l, auto const&, A) {
      if constexpr (Step == shard_step::later)
        for (int i = 0; i < row::later_size<typename L::Term>; ++i) put(memory.later, message::later, l.known.later[i]);
      else
        for (int i = 0; i < row::close_size<typename L::Term>; ++i) put(memory.close, message::close, l.known.close[i]);
    });
  }

  /// Begins a row of which all ranks know more.
  template <shard_step Step>
  __device__ void recall(index row, memory_type const& memory) {
    this->numbers_.begin(row);
    auto const& known = memory.rows[row];
    this->set_maximum(known.max);
    recall<Step>(known, std::index_sequence_for<Leaf...>());
  }
  template <shard_step Step, std::size_t... I>
  __device__ void recall(typename memory_type::conclusion const& known, std::index_sequence<I...>) {
    (recall<Step>(detail::at<I>(this->leaves_), detail::at<I>(this->job_.leaves).term, detail::at<I>(known.terms)),
     ...);
  }
  template <shard_step Step, class L, class Term>
  __device__ void recall(L& l, Term const& term, term_conclusion<A, Term> const& known) {
    l.reset(term);
#pragma unroll
    for (int k = 0; k < row::count_of<Term>; ++k) l.known.s.max[k] = known.max[k];
    if constexpr (row::has_later_sweeps<Term>) l.known.start = known.start;
    if constexpr (row::close_size<Term> > 0 && Step != shard_step::later) l.is_close = known.is_close != 0;
    if constexpr (Step == shard_step::finish) l.result = known.result;
  }
  __device__ bool is_close() {
    bool any = false;
    this->each([&](auto const& l, auto const&, A) { any |= l.is_close; });
    return any;
  }
};

/// The shape of a kernel whose rows are read part by part: rows per block, and whether it moves vectors.
template <int Rows, bool Wide, int N, int Slots>
struct shard_shape {
  static constexpr bool vectors = Wide;
  static constexpr int wide = N, slots = Slots, threads = 256, rows = Rows;
};

template <class Shape, shard_step Step, class Job, class Team>
__device__ void rows_of_shard(Job const& job, row_cut cut, row_block rows, shard_memory<Job> const& memory, Team team) {
  typename Job::factors scales;
  job.read_scales(scales);
  const auto views = all_views(job.prediction, job.leaves);
  row_registers<false, Shape::vectors, Shape::wide, Shape::slots, Team::size, std::remove_const_t<decltype(views)>,
                decltype(job.out.gradient), logits_of<Job>>
      numbers(views, job.out.gradient, cut, team.rank());
  shard_worker<Job, decltype(numbers), Team> worker(job, scales, numbers, team, cut.columns);
  const index first = rows.begin + index(blockIdx.x) * Shape::rows + threadIdx.x / Team::size;
  for (index row = first; row < rows.end; row += index(gridDim.x) * Shape::rows) worker.template run<Step>(row, memory);
}

template <class Shape, shard_step Step, class Job>
__global__ void __launch_bounds__(Shape::threads, 1)
    shard_kernel(Job const job, row_cut const cut, row_block rows, shard_memory<Job> const memory) {
  if constexpr (Shape::rows > 1) {
    rows_of_shard<Shape, Step>(job, cut, rows, memory, one_warp());
  } else {
    using block = one_block<Shape::threads, operand_of<typename Job::A>, max_sums<Job>>;
    __shared__ typename block::memory shared;
    rows_of_shard<Shape, Step>(job, cut, rows, memory, block(shared));
  }
}

}  // namespace hone::inline HONE_ABI::on_cuda

#include <hone/core/macros_pop.hpp>
