// SPDX-License-Identifier: MIT
/// Sums of powers of many numbers by a team of threads: in float over 16 bytes, and in double over those sums. Numbers
/// whose sum leaves the range of float are added up in double.
#pragma once

#include <hone/cuda/memory/vector.cuh>
#include <hone/cuda/run/reduce.cuh>
#include <hone/gradient/power_sums.hpp>

#include <hone/core/macros_push.hpp>

namespace hone::inline HONE_ABI::on_cuda {

using detail::norm_request;
using detail::power_sums;

/// Returns the total over a warp, in all of its lanes.
__device__ inline power_sums warp_total(power_sums s) {
#pragma unroll
  for (int step = 16; step > 0; step /= 2)
    s.add({__shfl_xor_sync(all_lanes, s.g_squares, step), __shfl_xor_sync(all_lanes, s.g_absolute, step),
           __shfl_xor_sync(all_lanes, s.squares, step), __shfl_xor_sync(all_lanes, s.absolute, step),
           __shfl_xor_sync(all_lanes, s.largest, step)});
  return s;
}
/// Returns the total over a block of complete warps; valid in its first warp.
__device__ inline power_sums block_total(power_sums s) {
  __shared__ power_sums of_warp[32];
  const int lane = static_cast<int>(threadIdx.x) % 32, warp = static_cast<int>(threadIdx.x) / 32;
  s = warp_total(s);
  __syncthreads();  // other threads may still read an earlier total
  if (lane == 0) of_warp[warp] = s;
  __syncthreads();
  if (warp != 0) return s;
  return warp_total(lane < static_cast<int>(blockDim.x) / 32 ? of_warp[lane] : power_sums{});
}

/// Adds the first `count` of N numbers to the sums; the others are 0.
template <class A, int N>
__device__ void add_numbers(power_sums& s, A const (&x)[N], int count, norm_request how) {
  A g_squares = 0, g_absolute = 0, squares = 0, absolute = 0, largest = 0;
  const A scale = static_cast<A>(how.scale), limit = static_cast<A>(how.limit);
#pragma unroll
  for (int j = 0; j < N; ++j) {
    g_squares += x[j] * x[j];
    if (!how.squares_only) {
      const A y = fabs(x[j] * scale), clipped = y > limit ? limit : y;
      g_absolute += fabs(x[j]), squares += clipped * clipped, absolute += clipped, largest = y > largest ? y : largest;
    }
  }
  if (detail::in_range<A>(g_squares) &&
      (how.squares_only || (detail::in_range<A>(squares) && double(largest) < 0x1p127))) {
    s.add({double(g_squares), double(g_absolute), double(how.squares_only ? g_squares : squares), double(absolute),
           double(largest)});
  } else {
#pragma unroll
    for (int j = 0; j < N; ++j)
      if (j < count) detail::add_carefully(s, x[j], how);
  }
}

/// Calls body(first, count) for this thread's part of n numbers: singly up to a multiple of 16 bytes, then N at a time.
template <int N, class T, class Body>
__device__ void each_piece_of(T const* p, index n, int rank, int size, Body const& body) {
  const auto past = static_cast<int>(reinterpret_cast<std::uintptr_t>(p) / sizeof(T) % N);
  const index head = past == 0 ? 0 : N - past;
  for (index i = rank; i < head && i < n; i += size) body(i, 1);
  for (index i = head + index(rank) * N; i < n; i += index(size) * N) body(i, static_cast<int>(n - i < N ? n - i : N));
}

template <class T>
__device__ power_sums sums_of(T const* g, index n, int rank, int size, norm_request how) {
  constexpr int N = wide_of<T>;
  power_sums s;
  each_piece_of<N>(g, n, rank, size, [&](index first, int count) {
    accumulator_t<T> x[N] = {};
    load(g + first, x, count);
    add_numbers(s, x, count, how);
  });
  return s;
}

}  // namespace hone::inline HONE_ABI::on_cuda

#include <hone/core/macros_pop.hpp>
