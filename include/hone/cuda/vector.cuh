// SPDX-License-Identifier: MIT
/// Several numbers of memory at once: 16 bytes are the widest access of a thread.
#pragma once

#include <hone/core/view.hpp>

#include <cstdint>

namespace hone::on_cuda {

/// N numbers side by side, aligned so that the compiler moves them in as few accesses as it can.
template <class T, int N>
struct alignas(sizeof(T) * N < 16 ? sizeof(T) * N : 16) vector {
  T at[N];
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
    for (int j = 0; j < N; ++j) to[j] = static_cast<A>(v.at[j]);
  } else {
#pragma unroll  // a loop to count would put the numbers into local memory
    for (int j = 0; j < N; ++j)
      if (j < count) to[j] = static_cast<A>(from[j]);
  }
}
template <class A, int N, class T>
__device__ void store(A const (&from)[N], T* to, int count) {
  if (count == N) {
    vector<T, N> v;
#pragma unroll
    for (int j = 0; j < N; ++j) v.at[j] = static_cast<T>(from[j]);
    *reinterpret_cast<vector<T, N>*>(to) = v;
  } else {
#pragma unroll
    for (int j = 0; j < N; ++j)
      if (j < count) to[j] = static_cast<T>(from[j]);
  }
}

}  // namespace hone::on_cuda
