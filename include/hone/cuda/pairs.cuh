// SPDX-License-Identifier: MIT
/// The kernel of two lists of tensors that have the same sizes: averages are updated, copied and exchanged by it.
#pragma once

#include <hone/cuda/list_piece.cuh>
#include <hone/cuda/norms.cuh>

#include <type_traits>

namespace hone::on_cuda {

/// What numbers of T and U are computed in; none is converted where they are of one type.
template <class T, class U>
using common_number =
    std::conditional_t<std::is_same_v<T, U>, T,
                       std::conditional_t<std::is_same_v<T, double> || std::is_same_v<U, double>, double, float>>;

/// N numbers, side by side; whole vectors where both are aligned alike.
template <int N, class A, class T>
__device__ void load_any(T const* from, A (&to)[N], int count, bool aligned) {
  if (aligned) return load(from, to, count);
#pragma unroll
  for (int j = 0; j < N; ++j)
    if (j < count) to[j] = static_cast<A>(from[j]);
}
template <int N, class A, class T>
__device__ void store_any(A const (&from)[N], T* to, int count, bool aligned) {
  if (aligned) return store(from, to, count);
#pragma unroll
  for (int j = 0; j < N; ++j)
    if (j < count) to[j] = static_cast<T>(from[j]);
}

/// For every tensor, job.of(tensor) is asked once per warp: its operator()(x, y) then changes the numbers x of `list`
/// and, where Job::writes_other, y of the other list. `idle` says that there is nothing to do, `reads` that x is
/// needed.
template <class T, class U, class Job>
__global__ void __launch_bounds__(block_threads)
    pair_kernel(list_table<T> const list, U* const* others, Job const job) {
  using number = std::remove_const_t<U>;
  using A = common_number<T, number>;
  constexpr int N = wide_of<std::conditional_t<(sizeof(T) > sizeof(number)), number, T>>;
  __shared__ shared_piece at;
  for (index piece = blockIdx.x; piece < list.pieces; piece += gridDim.x) {
    at.read(list, others, piece);
    auto const task = job.template of<A>(at.tensor);
    if (task.idle) continue;
    at.cut().visit(
        piece,
        [&](index, index, index first, index n) {
          T* const x = static_cast<T*>(at.data) + first;
          U* const y = static_cast<number*>(at.other) + first;
          const bool alike = reinterpret_cast<std::uintptr_t>(x) / sizeof(T) % N ==
                             reinterpret_cast<std::uintptr_t>(y) / sizeof(number) % N;
          each_piece_of<N>(x, n, static_cast<int>(threadIdx.x), static_cast<int>(blockDim.x),
                           [&](index from, int count) {
                             A of_x[N] = {}, of_y[N] = {};
                             if (task.reads) load(x + from, of_x, count);
                             load_any(y + from, of_y, count, alike);
#pragma unroll
                             for (int j = 0; j < N; ++j) task(of_x[j], of_y[j]);
                             store(of_x, x + from, count);
                             if constexpr (Job::writes_other) store_any(of_y, y + from, count, alike);
                           });
        },
        [](index, index, index, index) {});  // a list is not cut into columns
  }
}

template <class T, class U, class Job>
void enqueue_pairs(cudaStream_t stream, list_table<T> const& list, U* const* others, Job const& job, const char* name) {
  pair_kernel<<<grid_for(list.pieces), block_threads, 0, stream>>>(list, others, job);
  check_launch(name);
}

/// x = y, converted.
struct copy_job {
  static constexpr bool writes_other = false;

  template <class A>
  struct task {
    static constexpr bool idle = false, reads = false;
    __device__ void operator()(A& x, A const& y) const { x = y; }
  };
  template <class A>
  __device__ task<A> of(int) const {
    return {};
  }
};

}  // namespace hone::on_cuda
