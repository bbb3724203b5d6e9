// SPDX-License-Identifier: MIT
/// What the threads of a block share while they work on a piece of a list of tensors.
#pragma once

#include <hone/cuda/run/barrier.cuh>
#include <hone/cuda/run/reduce.cuh>
#include <hone/cuda/tensors/device_list.cuh>

#include <type_traits>

#include <hone/core/macros_push.hpp>

namespace hone::inline HONE_ABI::on_cuda {

/// What a block knows of the tensor that it works on, read once.
struct shared_piece {
  static constexpr int words = sizeof(detail::unit_cut) / sizeof(index);

  index of_cut[words];
  void *data, *other;
  int tensor;

  __device__ detail::unit_cut const& cut() const { return *reinterpret_cast<detail::unit_cut const*>(of_cut); }

  /// `others`, if any, are the tensors of a second list, or null pointers.
  template <class T, class U>
  __device__ void read(list_table<T> const& list, U* const* others, index piece) {
    const int t = static_cast<int>(threadIdx.x), i = t < words + 2 ? list.tensor_of[piece] : 0;
    block_barrier();  // the one before may still be read
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

/// What a whole warp wants to know, read by one of its threads.
template <class T>
__device__ T read_by_warp(T const* from) {
  return __shfl_sync(all_lanes, threadIdx.x % 32 == 0 ? *from : T(), 0);
}

}  // namespace hone::inline HONE_ABI::on_cuda

#include <hone/core/macros_pop.hpp>
