// SPDX-License-Identifier: MIT
/// The kernel over two lists of tensors of the same sizes, which updates, copies and exchanges averages.
#pragma once

#include <hone/cuda/tensors/list_piece.cuh>
#include <hone/cuda/tensors/norms.cuh>

#include <type_traits>

#include <hone/core/macros_push.hpp>

namespace hone::inline HONE_ABI::on_cuda {

/// The type in which numbers of T and U are computed; numbers of one type are not converted.
template <class T, class U>
using common_number =
    std::conditional_t<std::is_same_v<T, U>, T,
                       std::conditional_t<std::is_same_v<T, double> || std::is_same_v<U, double>, double, float>>;

/// Reads or writes N numbers, as one vector if they are aligned.
template <int N, class A, class T>
__device__ void load_all(T const* from, A (&to)[N], bool aligned) {
  if (aligned) return load(from, to, N);
#pragma unroll
  for (int j = 0; j < N; ++j) to[j] = static_cast<A>(from[j]);
}
template <int N, class A, class T>
__device__ void store_all(A const (&from)[N], T* to, bool aligned) {
  if (aligned) return store_vector(narrowed_vector<T>(from), to);
#pragma unroll
  for (int j = 0; j < N; ++j) to[j] = detail::narrowed<T>(from[j]);
}

template <class Job, class A, class T, class U>
__device__ void each_alone(typename Job::template task<A> const& task, T* x, U* y, int count) {
#pragma unroll 1
  for (int j = 0; j < count; ++j) {
    A of_x = task.reads ? static_cast<A>(x[j]) : A(), of_y = static_cast<A>(y[j]);
    task(of_x, of_y);
    x[j] = detail::narrowed<T>(of_x);
    if constexpr (Job::writes_other) y[j] = detail::narrowed<U>(of_y);
  }
}

/// Each warp calls job.of(tensor) once per tensor. The operator()(x, y) of the result then changes the numbers x of
/// `list` and, if Job::writes_other, y of the other list. `idle` means that there is nothing to do, `reads` that x is
/// needed.
template <class T, class U, class Job>
__global__ void __launch_bounds__(block_threads)
    pair_kernel(list_table<T> const list, U* const* others, Job const job) {
  using number = std::remove_const_t<U>;
  using A = common_number<T, number>;
  constexpr int N = wide_of<std::conditional_t<(sizeof(T) < sizeof(number)), number, T>>;  // adjacent in a warp
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
                             if (count < N) return each_alone<Job, A>(task, x + from, y + from, count);
                             A of_x[N] = {}, of_y[N];
                             if (task.reads) load(x + from, of_x, N);
                             load_all(y + from, of_y, alike);
#pragma unroll
                             for (int j = 0; j < N; ++j) task(of_x[j], of_y[j]);
                             store_all(of_x, x + from, true);
                             if constexpr (Job::writes_other) store_all(of_y, y + from, alike);
                           });
        },
        [](index, index, index, index) {});  // lists are not cut into columns
  }
}

template <class T, class U, class Job>
void enqueue_pairs(cudaStream_t stream, list_table<T> const& list, U* const* others, Job const& job, const char* name) {
  launch(name, pair_kernel<T, U, Job>, {grid_for(list.pieces), block_threads}, stream, list, others, job);
}

/// Copies and converts: x = y.
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

}  // namespace hone::inline HONE_ABI::on_cuda

#include <hone/core/macros_pop.hpp>
