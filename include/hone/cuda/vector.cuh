// SPDX-License-Identifier: MIT
/// Several numbers of memory at once: 16 bytes are the widest access of a thread.
#pragma once

#include <hone/core/view.hpp>

#include <cstdint>
#include <cstring>

namespace hone::on_cuda {

/// N numbers side by side, aligned so that the compiler moves them in as few accesses as it can.
template <class T, int N>
struct alignas(sizeof(T) * N < 16 ? sizeof(T) * N : 16) vector {
  T at[N];

  __device__ T get(int j) const { return at[j]; }
  __device__ void set(int j, T x) { at[j] = x; }
};

/// Pairs of 16-bit numbers: on their own each would take a register.
template <class T, int N>
  requires(sizeof(T) == 2 && N % 2 == 0)
struct alignas(sizeof(T) * N < 16 ? sizeof(T) * N : 16) vector<T, N> {
  unsigned pairs[N / 2];

  __device__ T get(int j) const {
    const auto bits = static_cast<unsigned short>(pairs[j / 2] >> (16 * (j % 2)));
    T x;
    memcpy(&x, &bits, sizeof x);  // nvcc 13 stumbles over a bit_cast of these types
    return x;
  }
  __device__ void set(int j, T x) {
    unsigned short low;
    memcpy(&low, &x, sizeof low);
    const unsigned bits = low;
    pairs[j / 2] = j % 2 == 0 ? (pairs[j / 2] & 0xffff0000U) | bits : (pairs[j / 2] & 0xffffU) | (bits << 16);
  }
};

/// How many numbers of T make up 16 bytes.
template <class T>
inline constexpr int wide_of = static_cast<int>(16 / sizeof(T));

/// Whether a pointer may be read as vectors of N; a null pointer is not read.
template <int N, class T>
bool is_aligned(T const* p) noexcept {
  return reinterpret_cast<std::uintptr_t>(p) % alignof(vector<T, N>) == 0;
}

/// `count` of N numbers, converted; the others are left as they are.
template <class A, int N, class T>
__device__ void load(T const* from, A (&to)[N], int count) {
  if (count == N) {
    const auto v = *reinterpret_cast<vector<T, N> const*>(from);
#pragma unroll
    for (int j = 0; j < N; ++j) to[j] = static_cast<A>(v.get(j));
  } else {
#pragma unroll  // a loop to count would put the numbers into local memory
    for (int j = 0; j < N; ++j)
      if (j < count) to[j] = static_cast<A>(from[j]);
  }
}
template <class A, int N, class T>
__device__ void store(A const (&from)[N], T* to, int count) {
  if (count == N) {
    vector<T, N> v{};
#pragma unroll
    for (int j = 0; j < N; ++j) v.set(j, static_cast<T>(from[j]));
    *reinterpret_cast<vector<T, N>*>(to) = v;
  } else {
#pragma unroll
    for (int j = 0; j < N; ++j)
      if (j < count) to[j] = static_cast<T>(from[j]);
  }
}

}  // namespace hone::on_cuda
