// SPDX-License-Identifier: MIT
/// Sums of powers of many numbers by a team of threads. Squares alone: in float by each thread over its part of a
/// piece, and in double over those sums. All sums: in float over 16 bytes, and in double over those. Numbers whose sum
/// leaves the range of float are added up in double.
#pragma once

#include <hone/cuda/memory/vector.cuh>
#include <hone/cuda/run/reduce.cuh>
#include <hone/gradient/power_sums.hpp>

#include <cstring>

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
/// The same for Σ g² alone, which is then also that of y.
__device__ inline power_sums warp_total_of_squares(power_sums s) {
#pragma unroll
  for (int step = 16; step > 0; step /= 2) s.g_squares += __shfl_xor_sync(all_lanes, s.g_squares, step);
  s.squares = s.g_squares;
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
  if (detail::in_range<A>(g_squares) && (how.squares_only || (detail::in_range<A>(squares) && largest < A(0x1p127)))) {
    s.add({double(g_squares), double(g_absolute), double(how.squares_only ? g_squares : squares), double(absolute),
           double(largest)});
  } else {
    A any = 0;
#pragma unroll
    for (int j = 0; j < N; ++j) any = x[j] == A(0) ? any : A(1);
    if (any == A(0)) return;
#pragma unroll
    for (int j = 0; j < N; ++j)
      if (j < count) detail::add_carefully(s, x[j], how);
  }
}

/// A number that the compiler knows, as an argument.
template <int N>
struct constant_count {
  static constexpr int value = N;
  __device__ constexpr operator int() const { return N; }
};

/// Which of n numbers at p are vectors of N: those in [begin, end). Fewer than N lie before and after them.
struct vector_part {
  int begin, end;
};
template <int N, class T>
__device__ vector_part vectors_in(T const* p, int n) {
  const auto past = static_cast<int>(reinterpret_cast<std::uintptr_t>(p) / sizeof(T) % N);
  const int head = past == 0 ? 0 : N - past, begin = head < n ? head : n;
  return {begin, n - (n - begin) % N};
}
/// Calls body(i) for the number that this thread takes of those outside of the vectors, if any.
template <class Body>
__device__ void single_of(vector_part of, int n, int rank, Body const& body) {
  if (rank < n - (of.end - of.begin)) body(rank < of.begin ? rank : rank - of.begin + of.end);
}
/// Calls body(first, count) for this thread's part of n numbers of a piece: N at a time where they are aligned to 16
/// bytes, and singly before and after. The count is a constant of a type of its own. The team has at least 2 N threads.
template <int N, class T, class Body>
__device__ void each_piece_of(T const* p, index n, int rank, int size, Body const& body) {
  const int numbers = static_cast<int>(n);
  const vector_part of = vectors_in<N>(p, numbers);
  for (int i = of.begin + rank * N; i < of.end; i += size * N) body(i, constant_count<N>());
  single_of(of, numbers, rank, [&](int i) { body(i, constant_count<1>()); });
}

/// Returns Σ g² over this thread's part of n numbers of a piece.
///
/// Σ is in float, in four sums of at most 33 squares each in a row of 4096 numbers by a warp, and of 9 in a piece of
/// 8192 by a block. No square is negative, so its error is at most 35 · 2^-24 = 2.1e-6 of itself (in a piece 11 · 2^-24
/// = 6.6e-7), and half as much in the norm; roundings of both signs make it far less. If a square or a sum overflowed,
/// it is not below 2^120. Above 2^-86 squares below 2^-126 do not matter: 132 of them are less than 2^-32 of it,
/// however they were rounded. Outside of this range, and with NaN, the part is read again and added in double; not so
/// if all of it is 0, which its bits tell.
template <class T>
__device__ double squares_of(T const* g, int n, int rank, int size) {
  using A = accumulator_t<T>;
  constexpr int N = wide_of<T>, loads = 4;
  constexpr unsigned without_sign = sizeof(T) == 2 ? 0x7fff7fff : 0x7fffffff;
  const vector_part of = vectors_in<N>(g, n);
  const int step = size * N;
  A sums[loads] = {};
  unsigned bits = 0;
  const auto add = [&](vector<T, N> const(&v)[loads]) {
#pragma unroll
    for (int k = 0; k < loads; ++k) {
      unsigned words[4];
      memcpy(words, &v[k], sizeof words);
      bits |= (words[0] | words[1]) | (words[2] | words[3]);
#pragma unroll
      for (int j = 0; j < N; ++j) {
        const A x = static_cast<A>(v[k].get(j));
        sums[k] += x * x;
      }
    }
  };
  const auto at = [&](int i) { return *reinterpret_cast<vector<T, N> const*>(g + i); };
  int i = of.begin + rank * N;
#pragma unroll 1
  for (; i < of.end - (loads - 1) * step; i += loads * step) {
    const vector<T, N> v[loads] = {at(i), at(i + step), at(i + 2 * step), at(i + 3 * step)};
    add(v);
  }
  if (i < of.end) {
    vector<T, N> v[loads] = {at(i), {}, {}, {}};
    if (i + step < of.end) v[1] = at(i + step);
    if (i + 2 * step < of.end) v[2] = at(i + 2 * step);
    add(v);
  }
  single_of(of, n, rank, [&](int single) {
    const A x = static_cast<A>(g[single]);
    sums[0] += x * x;
    bits |= x == A(0) ? 0 : 1;
  });
  const A sum = (sums[0] + sums[1]) + (sums[2] + sums[3]);
  if (sizeof(A) == 8 || detail::in_range<A>(sum)) return static_cast<double>(sum);
  if ((bits & without_sign) == 0) return 0;
  double careful = 0;
  each_piece_of<N>(g, n, rank, size, [&](int first, auto count) {
#pragma unroll 1
    for (int j = 0; j < count; ++j) {
      const double x = static_cast<double>(static_cast<A>(g[first + j]));
      careful += x * x;
    }
  });
  return careful;
}

template <class T>
__device__ power_sums sums_of(T const* g, index n, int rank, int size, norm_request how) {
  power_sums s;
  if (how.squares_only) {
    s.g_squares = s.squares = squares_of(g, static_cast<int>(n), rank, size);
    return s;
  }
  constexpr int N = wide_of<T>;
  each_piece_of<N>(g, n, rank, size, [&](int first, auto count) {
    accumulator_t<T> x[N] = {};
    load(g + first, x, count);
    add_numbers(s, x, count, how);
  });
  return s;
}

}  // namespace hone::inline HONE_ABI::on_cuda

#include <hone/core/macros_pop.hpp>
