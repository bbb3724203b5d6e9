// SPDX-License-Identifier: MIT
/// Several numbers in one memory access; the widest access of a thread has 16 bytes.
#pragma once

#include <hone/core/narrowed.hpp>
#include <hone/core/view.hpp>

#include <cstdint>
#include <cstring>
#include <type_traits>

#include <hone/core/macros_push.hpp>

namespace hone::inline HONE_ABI::on_cuda {

/// N adjacent numbers, aligned so that the compiler moves them in as few accesses as possible.
template <class T, int N>
struct alignas(sizeof(T) * N < 16 ? sizeof(T) * N : 16) vector {
  T at[N];

  __device__ T get(int j) const { return at[j]; }
  __device__ void set(int j, T x) { at[j] = x; }
};

/// Small numbers, packed into words, because each would otherwise take a register.
template <class T, int N>
  requires(sizeof(T) < 4 && N * sizeof(T) % 4 == 0)
struct alignas(sizeof(T) * N < 16 ? sizeof(T) * N : 16) vector<T, N> {
  using bits = std::conditional_t<sizeof(T) == 2, unsigned short, unsigned char>;
  static constexpr int per_word = 4 / sizeof(T), width = 8 * sizeof(T);
  static constexpr unsigned mask = (1U << width) - 1;

  unsigned words[N / per_word];

  __device__ T get(int j) const {
    const auto some = static_cast<bits>(words[j / per_word] >> (width * (j % per_word)));
    T x;
    memcpy(&x, &some, sizeof x);  // nvcc 13 has trouble with a bit_cast of 16-bit types
    return x;
  }
  __device__ void set(int j, T x) {
    bits some;
    memcpy(&some, &x, sizeof some);
    const int at = width * (j % per_word);
    words[j / per_word] = (words[j / per_word] & ~(mask << at)) | unsigned(some) << at;
  }
};

/// The count of numbers of T in 16 bytes.
template <class T>
inline constexpr int wide_of = static_cast<int>(16 / sizeof(T));

/// Returns how many numbers precede the first address at or after p that is aligned for vectors of N.
template <int N, class T>
HONE_HD int numbers_before_aligned(T const* p) noexcept {
  constexpr unsigned numbers = N;
  static_assert((numbers & (numbers - 1)) == 0);
  return static_cast<int>((0U - static_cast<unsigned>(reinterpret_cast<std::uintptr_t>(p) / sizeof(T))) % numbers);
}

/// Returns whether a pointer is aligned for vectors of N. A null pointer is, because it is never read.
template <int N, class T>
bool is_aligned(T const* p) noexcept {
  return reinterpret_cast<std::uintptr_t>(p) % alignof(vector<T, N>) == 0;
}

/// Stores in one access, because nvcc 13 splits the assignment of a copied vector into its numbers.
template <class V>
__device__ void store_vector(V const& v, void* to) {
  using word = std::conditional_t<
      sizeof(V) == 16, uint4,
      std::conditional_t<sizeof(V) == 8, uint2,
                         std::conditional_t<sizeof(V) == 4, unsigned,
                                            std::conditional_t<sizeof(V) == 2, unsigned short, unsigned char>>>>;
  static_assert(sizeof(word) == sizeof(V));
  word w;
  memcpy(&w, &v, sizeof w);
  __stwb(static_cast<word*>(to), w);
}

/// Narrows every number as detail::narrowed does, with one check for all whether any may be out of T's range.
template <class T, class A, int N>
__device__ vector<T, N> narrowed_vector(A const (&from)[N]) {
  vector<T, N> v{};
#pragma unroll
  for (int j = 0; j < N; ++j) v.set(j, static_cast<T>(from[j]));
  if constexpr (detail::narrows<T, A>) {
    A largest = 0;
#pragma unroll
    for (int j = 0; j < N; ++j) largest = ::max(largest, ::abs(from[j]));  // ignores NaN
    if (largest >= detail::surely_in_range<T, A>) {
#pragma unroll
      for (int j = 0; j < N; ++j) v.set(j, detail::narrowed<T>(from[j]));
    }
  }
  return v;
}

/// Reads `count` of N numbers; the others are 0. They are as they are in memory, so that a thread may request more
/// numbers before it uses these.
template <int N, class T>
__device__ vector<std::remove_const_t<T>, N> read_vector(T* from, int count) {
  vector<std::remove_const_t<T>, N> v{};
  if (count == N) {
    v = *reinterpret_cast<vector<std::remove_const_t<T>, N> const*>(from);
  } else {
#pragma unroll
    for (int j = 0; j < N; ++j)
      if (j < count) v.set(j, from[j]);
  }
  return v;
}

/// Reads `count` of N numbers and converts them; the others stay unchanged.
template <class A, int N, class T>
__device__ void load(T const* from, A (&to)[N], int count) {
  if (count == N) {
    const auto v = *reinterpret_cast<vector<T, N> const*>(from);
#pragma unroll
    for (int j = 0; j < N; ++j) to[j] = static_cast<A>(v.get(j));
  } else {
#pragma unroll  // a loop up to count would put the numbers into local memory
    for (int j = 0; j < N; ++j)
      if (j < count) to[j] = static_cast<A>(from[j]);
  }
}
template <class A, int N, class T>
__device__ void store(A const (&from)[N], T* to, int count) {
  if (count == N) {
    *reinterpret_cast<vector<T, N>*>(to) = narrowed_vector<T>(from);
  } else {
#pragma unroll
    for (int j = 0; j < N; ++j)
      if (j < count) to[j] = detail::narrowed<T>(from[j]);
  }
}

}  // namespace hone::inline HONE_ABI::on_cuda

#include <hone/core/macros_pop.hpp>
