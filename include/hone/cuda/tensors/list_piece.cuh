// SPDX-License-Identifier: MIT
/// Values that the threads of a block share while they process a piece of a list of tensors.
#pragma once

#include <hone/cuda/run/barrier.cuh>
#include <hone/cuda/run/reduce.cuh>
#include <hone/cuda/run/resident.cuh>
#include <hone/cuda/tensors/device_list.cuh>

#include <type_traits>

#include <hone/core/macros_push.hpp>

namespace hone::inline HONE_ABI::on_cuda {

/// Launches a kernel over the pieces of a list, with no more blocks than the device runs at once.
template <class... Parameter>
void launch_pieces(const char* name, void (*kernel)(Parameter...), index pieces, cudaStream_t stream,
                   std::type_identity_t<Parameter>... arguments) {
  launch(name, kernel, resident_grid(kernel, pieces, block_threads), stream, arguments...);
}

/// Says that a pointer is to global memory, which the compiler cannot know of one that went through shared memory or
/// was read from a table. Its accesses then are global ones, not generic ones. Null pointers may pass.
template <class T>
__device__ T* in_global(T* p) {
  __builtin_assume(__isGlobal(p));
  return p;
}

/// Reads a value in one thread of a warp and broadcasts it to the warp.
template <class T>
__device__ T read_by_warp(T const* from) {
  return __shfl_sync(all_lanes, threadIdx.x % 32 == 0 ? *from : T(), 0);
}
/// The same for a pointer to global memory.
template <class T>
__device__ T* pointer_by_warp(T* const* from) {
  const unsigned long long address = threadIdx.x % 32 == 0 ? reinterpret_cast<std::uintptr_t>(*from) : 0;
  return in_global(reinterpret_cast<T*>(__shfl_sync(all_lanes, address, 0)));
}

/// The tensor that a block processes, read once per piece.
struct shared_piece {
  static constexpr int words = sizeof(detail::unit_cut) / sizeof(index);

  index of_cut[words];
  void *data, *other;
  int tensor;

  __device__ detail::unit_cut const& cut() const { return *reinterpret_cast<detail::unit_cut const*>(of_cut); }
  template <class Row, class Columns>
  __device__ void visit(index piece, Row const& row, Columns const& columns) const {
    cut().visit<list_piece>(piece, row, columns);
  }
  template <class T>
  __device__ T* data_of() const {
    return in_global(static_cast<T*>(data));
  }
  template <class U>
  __device__ U* other_of() const {
    return in_global(static_cast<U*>(other));
  }

  /// `others`, if not null, has the tensors of a second list, or null pointers.
  template <class T, class U>
  __device__ void read(list_table<T> const& list, U* const* others, index piece) {
    static_assert(words + 2 <= 32);
    const int t = static_cast<int>(threadIdx.x), i = t < 32 ? read_by_warp(list.tensor_of + piece) : 0;
    block_barrier();  // other threads may still read the one before
    if (t < words) {
      of_cut[t] = reinterpret_cast<index const*>(list.cuts + i)[t];
    } else if (t == words) {
      data = const_cast<std::remove_const_t<T>*>(list.data[i]);
      tensor = i;
    } else if (t == words + 1) {
      other = others ? const_cast<std::remove_const_t<U>*>(others[i]) : nullptr;
    }
    __syncthreads();
  }
};

}  // namespace hone::inline HONE_ABI::on_cuda

#include <hone/core/macros_pop.hpp>
