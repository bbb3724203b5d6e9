// SPDX-License-Identifier: MIT
/// The numbers of a row that a thread holds in registers, in the type of their view.
#pragma once

#include <hone/cuda/memory/vector.cuh>

#include <cmath>
#include <cstring>

#include <hone/core/macros_push.hpp>

namespace hone::inline HONE_ABI::on_cuda {

/// The numbers of one view: Slots vectors of N numbers, and one number at an end of the row.
template <class T, int N, int Slots>
struct held_numbers {
  vector<T, N> at[Slots];
  T end;

  /// Stops the compiler from keeping the converted numbers between sweeps, which would take twice the registers.
  __device__ void forget() {
    if constexpr (sizeof(T) == 2 && N % 2 == 0) {
#pragma unroll
      for (int i = 0; i < Slots; ++i)
#pragma unroll
        for (int j = 0; j < N / 2; ++j) asm("" : "+r"(at[i].words[j]));
    } else if constexpr (sizeof(T) == 4) {
#pragma unroll
      for (int i = 0; i < Slots; ++i)
#pragma unroll
        for (int j = 0; j < N; ++j) asm("" : "+f"(at[i].at[j]));
    }
  }
};

/// The pair of two 16-bit numbers that CUDA has functions for. (It is found by the type of the numbers, because hone
/// includes no header of a 16-bit type.)
template <class T>
__device__ auto pair_of(T low, T high) {
  if constexpr (requires { __halves2half2(low, high); }) {
    return __halves2half2(low, high);
  } else {
    return __halves2bfloat162(low, high);
  }
}
/// Returns the larger number of each of two words of 16-bit numbers, ignoring NaN.
template <class T>
__device__ unsigned larger_pair(unsigned a, unsigned b) {
  using pair = decltype(pair_of(T(), T()));
  static_assert(sizeof(pair) == sizeof a);
  pair x, y;
  memcpy(&x, &a, sizeof a), memcpy(&y, &b, sizeof b);
  x = __hmax2(x, y);
  memcpy(&a, &x, sizeof a);
  return a;
}

/// The largest of 16-bit numbers, ignoring NaN; -inf before the first one. From sm_80 on it takes two numbers at a time
/// without a conversion; before, there is no instruction for that.
template <class T>
class largest_number {
 public:
  __device__ largest_number() { pair_.set(0, static_cast<T>(-HUGE_VALF)), pair_.set(1, pair_.get(0)); }

  template <int N>
  __device__ void meet(vector<T, N> const& v) {
    if constexpr (HONE_DEVICE_ARCHITECTURE >= 800) {
#pragma unroll
      for (int j = 0; j < N / 2; ++j) pair_.words[0] = larger_pair<T>(pair_.words[0], v.words[j]);
    } else {
#pragma unroll
      for (int j = 0; j < N; ++j) meet(v.get(j));
    }
  }
  __device__ void meet(T x) { most_ = ::fmaxf(most_, static_cast<float>(x)); }
  __device__ float get() const {
    return ::fmaxf(most_, ::fmaxf(static_cast<float>(pair_.get(0)), static_cast<float>(pair_.get(1))));
  }

 private:
  vector<T, 2> pair_{};
  float most_ = -HUGE_VALF;
};

}  // namespace hone::inline HONE_ABI::on_cuda

#include <hone/core/macros_pop.hpp>
