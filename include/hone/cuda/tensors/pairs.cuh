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

/// Changes this thread's part of n numbers at x and y by f(x, y): two vectors at a time. Writes: whether y changes too.
template <bool Writes, class A, class T, class U, class F>
__device__ void change_pairs(T* x, U* y, int n, int rank, int size, F const& f) {
  using number = std::remove_const_t<U>;
  constexpr int N = wide_of<std::conditional_t<(sizeof(T) < sizeof(number)), number, T>>;  // adjacent in a warp
  const bool alike =
      reinterpret_cast<std::uintptr_t>(x) / sizeof(T) % N == reinterpret_cast<std::uintptr_t>(y) / sizeof(number) % N;
  const vector_part of = vectors_in<N>(x, n);
  const int step = size * N;
  struct pair {
    A x[N], y[N];
  };
  const auto read = [&](pair& p, int i) {
    if constexpr (F::reads) load(x + i, p.x, N);
    load_all(y + i, p.y, alike);
  };
  const auto write = [&](pair& p, int i) {
#pragma unroll
    for (int j = 0; j < N; ++j) f(p.x[j], p.y[j]);
    store_all(p.x, x + i, true);
    if constexpr (Writes) store_all(p.y, y + i, alike);
  };
  int i = of.begin + rank * N;
#pragma unroll 1
  for (; i < of.end - step; i += 2 * step) {
    pair a, b;
    read(a, i), read(b, i + step);
    write(a, i), write(b, i + step);
  }
  if (i < of.end) {
    pair a;
    read(a, i);
    write(a, i);
  }
  single_of(of, n, rank, [&](int single) {
    A of_x = F::reads ? static_cast<A>(x[single]) : A(), of_y = static_cast<A>(y[single]);
    f(of_x, of_y);
    x[single] = detail::narrowed<T>(of_x);
    if constexpr (Writes) y[single] = detail::narrowed<number>(of_y);
  });
}

/// Each warp calls job.of(tensor) once per tensor. The result calls its argument with what changes the numbers x of
/// `list` and, if Job::writes_other, y of the other list: a function f(x, y) whose F::reads says whether it needs x.
/// `idle` means that there is nothing to do.
template <class T, class U, class Job>
__global__ void __launch_bounds__(block_threads)
    pair_kernel(list_table<T> const list, U* const* others, Job const job) {
  using A = common_number<T, std::remove_const_t<U>>;
  __shared__ shared_piece at;
  for (index piece = blockIdx.x; piece < list.pieces; piece += gridDim.x) {
    at.read(list, others, piece);
    auto const task = job.template of<A>(at.tensor);
    if (task.idle) continue;
    at.visit(
        piece,
        [&](index, index, index first, index n) {
          task.choose([&](auto const& f) {
            change_pairs<Job::writes_other, A>(at.data_of<T>() + first, at.other_of<U>() + first, static_cast<int>(n),
                                               static_cast<int>(threadIdx.x), static_cast<int>(blockDim.x), f);
          });
        },
        [](index, index, index, index) {});  // lists are not cut into columns
  }
}

template <class T, class U, class Job>
void enqueue_pairs(cudaStream_t stream, list_table<T> const& list, U* const* others, Job const& job, const char* name) {
  launch_pieces(name, pair_kernel<T, U, Job>, list.pieces, stream, list, others, job);
}

/// Copies and converts: x = y.
struct copy_job {
  static constexpr bool writes_other = false;

  template <class A>
  struct task {
    static constexpr bool idle = false, reads = false;
    __device__ void operator()(A& x, A const& y) const { x = y; }
    template <class Change>
    __device__ void choose(Change const& change) const {
      change(*this);
    }
  };
  template <class A>
  __device__ task<A> of(int) const {
    return {};
  }
};

}  // namespace hone::inline HONE_ABI::on_cuda

#include <hone/core/macros_pop.hpp>
