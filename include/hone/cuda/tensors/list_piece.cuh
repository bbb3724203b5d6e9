// SPDX-License-Identifier: MIT
/// Values that the threads of a block share while they process a piece of a list of tensors.
#pragma once

#include <hone/cuda/run/barrier.cuh>
#include <hone/cuda/run/reduce.cuh>
#include <hone/cuda/tensors/device_list.cuh>

#include <type_traits>

#include <hone/core/macros_push.hpp>

namespace hone::inline HONE_ABI::on_cuda {

/// The tensor that a block processes, read once per piece.
struct shared_piece {
  static constexpr int words = sizeof(detail::unit_cut) / sizeof(index);

  index of_cut[words];
  void *data, *other;
  int tensor;

  __device__ detail::unit_cut const& cut() const { return *reinterpret_cast<detail::unit_cut const*>(of_cut); }

  /// `others`, if not null, has the tensors of a second list, or null pointers.
  template <class T, class U>
  __device__ void read(list_table<T> const& list, U* const* others, index piece) {
    const int t = static_cast<int>(threadIdx.x), i = t < words + 2 ? list.tensor_of[piece] : 0;
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

/// Reads a value in one thread of a warp and broadcasts it to the warp.
template <class T>
__device__ T read_by_warp(T const* from) {
  return __shfl_sync(all_lanes, threadIdx.x % 32 == 0 ? *from : T(), 0);
}

}  // namespace hone::inline HONE_ABI::on_cuda

#include <hone/core/macros_pop.hpp>
