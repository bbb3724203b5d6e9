// SPDX-License-Identifier: MIT
/// The threads that share a row: one thread, a warp or a block. reduce() takes a function that passes every number to
/// another function, so that all sums of a sweep are reduced together.
#pragma once

#include <hone/core/operand.hpp>
#include <hone/cuda/run/reduce.cuh>

#include <hone/core/macros_push.hpp>

namespace hone::inline HONE_ABI::on_cuda {

struct larger {
  template <class A>
  __device__ A operator()(A a, A b) const {
    return fmax(a, b);  // ignores NaN, which the sums then contain
  }
};
struct added {
  template <class A>
  __device__ A operator()(A a, A b) const {
    return a + b;
  }
};

template <class A, int N>
__device__ void add_to(bundle<A, N>& to, bundle<A, N> const& more) {
#pragma unroll
  for (int i = 0; i < N; ++i) to[i] += more[i];
}
/// Calls f with every number of a bundle.
template <class A, int N, class F>
__device__ void hand(bundle<A, N>& numbers, F const& f) {
#pragma unroll
  for (int i = 0; i < N; ++i) f(numbers[i]);
}

struct lone_thread {
  static constexpr int size = 1;

  __device__ int rank() const { return 0; }
  /// Returns whether this thread reads the values that share() then broadcasts to its warp.
  __device__ bool reads() const { return true; }
  /// Returns whether this team, or another one that goes the same way, wants something; all of its threads agree.
  __device__ bool any(bool wanted) const { return wanted; }
  template <class X>
  __device__ void share(X&) const {}
  /// Replaces every number that each(f) passes to f by its reduction over the team, in every thread.
  template <class Combine, class Each>
  __device__ void reduce(Combine, Each const&) const {}
};

struct one_warp {
  static constexpr int size = 32;

  __device__ int rank() const { return static_cast<int>(threadIdx.x) % 32; }
  __device__ bool reads() const { return rank() == 0; }
  __device__ bool any(bool wanted) const { return wanted; }
  template <class X>
  __device__ void share(X& x) const {
    x = __shfl_sync(all_lanes, x, 0);
  }
  template <class Combine, class Each>
  __device__ void reduce(Combine combine, Each const& each) const {
    __syncwarp();  // orders memory, which shuffles do not: the gradient may overwrite logits
    each([&](auto& x) {
#pragma unroll
      for (int step = 16; step > 0; step /= 2) x = combine(x, __shfl_xor_sync(all_lanes, x, step));
    });
  }
};

/// Shared memory has room for two reductions of up to MaxSums numbers. One barrier per reduction is enough, because no
/// warp can be two reductions ahead of another.
template <int Threads, class A, int MaxSums>
class one_block : private one_warp {
 public:
  static constexpr int size = Threads, warps = Threads / 32;
  using memory = A[2][MaxSums][warps];

  __device__ explicit one_block(memory& shared) : shared_(shared) {}

  __device__ int rank() const { return static_cast<int>(threadIdx.x); }
  using one_warp::any;
  using one_warp::reads;
  using one_warp::share;

  template <class Combine, class Each>
  __device__ void reduce(Combine combine, Each const& each) {
    one_warp::reduce(combine, each);
    auto& parts = shared_[turn_];
    turn_ = 1 - turn_;
    int k = 0;
    each([&](A& x) {
      if (reads()) parts[k][rank() / 32] = x;
      ++k;
    });
    __syncthreads();
    k = 0;
    each([&](A& x) {
      x = parts[k][0];
#pragma unroll
      for (int w = 1; w < warps; ++w) x = combine(x, parts[k][w]);
      ++k;
    });
  }

 private:
  memory& shared_;
  int turn_ = 0;
};

}  // namespace hone::inline HONE_ABI::on_cuda

#include <hone/core/macros_pop.hpp>
