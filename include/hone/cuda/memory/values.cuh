// SPDX-License-Identifier: MIT
/// How a kernel adds up the value of an objective. A job names what does it, with these members; over ranks it is
/// cuda/distributed/exact_value.cuh.
#pragma once

#include <hone/core/narrowed.hpp>
#include <hone/cuda/run/reduce.cuh>

#include <hone/core/macros_push.hpp>

namespace hone::inline HONE_ABI::on_cuda {

/// The value of one piece of elements or boxes, in their order.
template <class A>
struct piece_total {
  A total = 0;

  __device__ void add(int, A x) { total += x; }
  __device__ void clear() { total = 0; }
};

/// Every thread adds what it evaluates, and the grid adds up its threads.
template <class A>
class grid_value {
 public:
  grid_value() = default;
  template <class Job>
  __device__ grid_value(Job const&, typename Job::factors const&) : total_(0) {}

  /// Adds body(i) for i = first, first + step, … < end. `i` is that of a team of Size threads.
  template <int Size, class Body>
  __device__ void each(index first, index end, index step, Body const& body) {
    for (index i = first; i < end; i += step) total_ += value_of(body(i));
  }
  /// By all threads of a warp, of which some may have nothing to add.
  template <class Body>
  __device__ void add_if(bool has, Body const& body) {
    if (has) total_ += value_of(body());
  }
  /// Calls body(part) for the parts of [0, parts) that the block takes, by all its threads, and keeps the sum of each.
  /// The bits of the value do not depend on the grid, if what a thread adds in a part does not. `parts` is at most
  /// max_blocks.
  template <class Job, class Body>
  __device__ void each_part(Job const& job, int parts, Body const& body) {
    for (int part = static_cast<int>(blockIdx.x); part < parts; part += static_cast<int>(gridDim.x)) {
      total_ = 0;
      body(part);
      if (!job.out.value) continue;
      store_part(total_, part, job.scratch);
    }
  }
  /// By all threads of the grid, after each_part.
  template <class Job>
  __device__ void finish(Job const& job, int parts) {
    if (job.out.value) sum_of_parts(parts, job.scratch, [&](double x) { *job.out.value = detail::narrowed<A>(x); });
  }
  /// By all threads of the grid, at the end, where every block is a part.
  template <class Job>
  __device__ void finish(Job const& job) {
    if (job.out.value) grid_sum(total_, job.scratch, [&](double x) { *job.out.value = detail::narrowed<A>(x); });
  }

 private:
  __device__ static double value_of(double x) { return x; }
  __device__ static double value_of(piece_total<A> const& piece) { return static_cast<double>(piece.total); }

  double total_;
};

}  // namespace hone::inline HONE_ABI::on_cuda

#include <hone/core/macros_pop.hpp>
