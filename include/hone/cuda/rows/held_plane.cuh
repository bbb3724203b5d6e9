// SPDX-License-Identifier: MIT
/// Vectors of a row in shared memory, copied there from global memory while a thread does something else.
#pragma once

#include <hone/cuda/memory/vector.cuh>

#include <cstring>
#include <type_traits>

#include <hone/core/macros_push.hpp>

namespace hone::inline HONE_ABI::on_cuda {

/// Starts a copy of Bytes, 4, 8 or 16, from global to shared memory, without registers from sm_80 on.
template <int Bytes>
__device__ void copy_to_shared(void const* from, void* to) {
  if constexpr (HONE_DEVICE_ARCHITECTURE >= 800) {
    const auto shared = static_cast<unsigned>(__cvta_generic_to_shared(to));
    const auto global = __cvta_generic_to_global(from);
    if constexpr (Bytes == 16)
      asm volatile("cp.async.cg.shared.global [%0], [%1], 16;" ::"r"(shared), "l"(global) : "memory");
    else
      asm volatile("cp.async.ca.shared.global [%0], [%1], %2;" ::"r"(shared), "l"(global), "n"(Bytes) : "memory");
  } else {
    memcpy(__builtin_assume_aligned(to, Bytes), __builtin_assume_aligned(from, Bytes), Bytes);
  }
}
/// Ends a group of copies of this thread.
__device__ inline void end_group_of_copies() {
  if constexpr (HONE_DEVICE_ARCHITECTURE >= 800) asm volatile("cp.async.commit_group;" ::: "memory");
}
/// Waits until at most Later groups of this thread, the last ones, are under way.
template <int Later>
__device__ void wait_for_copies() {
  if constexpr (HONE_DEVICE_ARCHITECTURE >= 800) asm volatile("cp.async.wait_group %0;" ::"n"(Later) : "memory");
}
/// The same for `later`; for all but 7 if there are more.
__device__ inline void wait_for_copies(int later) {
  switch (later) {
    case 0:
      return wait_for_copies<0>();
    case 1:
      return wait_for_copies<1>();
    case 2:
      return wait_for_copies<2>();
    case 3:
      return wait_for_copies<3>();
    case 4:
      return wait_for_copies<4>();
    case 5:
      return wait_for_copies<5>();
    case 6:
      return wait_for_copies<6>();
    default:
      return wait_for_copies<7>();
  }
}

/// The vectors of one view in shared memory. A thread accesses 16 bytes at a time, neighbours beside each other: longer
/// vectors are cut, and their parts are in planes.
template <class U, int N>
struct held_plane {
  using vector_type = vector<U, N>;
  static constexpr int part = sizeof(vector_type) < 16 ? int(sizeof(vector_type)) : 16,
                       parts = int(sizeof(vector_type)) / part;
  static_assert(parts * part == int(sizeof(vector_type)) && part >= 4);

  char* first;
  int vectors;  // of the plane

  __device__ char* part_at(int v, int p) const { return first + (p * vectors + v) * part; }
  __device__ void copy(U const* from, int v) const {
#pragma unroll
    for (int p = 0; p < parts; ++p) copy_to_shared<part>(reinterpret_cast<char const*>(from) + p * part, part_at(v, p));
  }
  __device__ vector_type at(int v) const {
    vector_type to;
    using word = std::conditional_t<part == 16, uint4, std::conditional_t<part == 8, uint2, unsigned>>;
#pragma unroll
    for (int p = 0; p < parts; ++p) {
      const word w = *reinterpret_cast<word const*>(part_at(v, p));
      memcpy(reinterpret_cast<char*>(&to) + p * part, &w, part);
    }
    return to;
  }
};

}  // namespace hone::inline HONE_ABI::on_cuda

#include <hone/core/macros_pop.hpp>
