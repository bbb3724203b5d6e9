// SPDX-License-Identifier: MIT
/// Exchanges averages and parameters, on CUDA.
#pragma once

#include <hone/cuda/tensors/device_ema_state.cuh>

#include <hone/core/macros_push.hpp>

namespace hone::inline HONE_ABI {

namespace on_cuda {

struct swap_job {
  static constexpr bool writes_other = true;

  template <class A>
  struct task {
    static constexpr bool idle = false, reads = true;
    __device__ void operator()(A& x, A& y) const {
      const A of_x = x;
      x = y, y = of_x;
    }
    template <class Change>
    __device__ void choose(Change const& change) const {
      change(*this);
    }
  };
  template <class A>
  __device__ task<A> of(int) const {
    return {};
  }
};

}  // namespace on_cuda

/// Enqueues an exchange of averages and parameters in place: once before an evaluation and once after it, which
/// restores every bit. In between the state cannot be updated, copied from, saved or loaded; the host keeps track of
/// that, so that a graph that captures one swap must capture the other too.
///
///     hone::swap(gpu, shadow, parameters);
///
/// Throws hone::invalid_argument, before anything is enqueued, if the sizes are not those of the state, a tensor is not
/// valid memory, or the state began at zero, because its averages must be divided: use hone::copy.
template <class T, class P>
void swap(cuda& backend, device_ema_state<T>& state, device_list<P> const& parameters) {
  detail::require_swap(state, parameters.tensors());
  if (state.from_zero())
    detail::fail("swap: the state began at zero, so its averages have to be divided; hone::copy does it");
  const on_cuda::device_of_stream device(backend.placed());
  on_cuda::enqueue_pairs(backend.stream(), state.list().table(), parameters.table().data, on_cuda::swap_job{},
                         "swap: pair_kernel");
  state.exchanged();
}

/// The same for parameters that are not prepared: their table is uploaded for this call only.
template <class T, class P>
void swap(cuda& backend, device_ema_state<T>& state, tensor_list<P> const& parameters) {
  detail::require_swap(state, parameters);
  swap(backend, state, device_list<P>(backend, parameters));
}

}  // namespace hone::inline HONE_ABI

#include <hone/core/macros_pop.hpp>
