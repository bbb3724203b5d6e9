// SPDX-License-Identifier: MIT
/// Copies of averages and of tensors, on CUDA.
#pragma once

#include <hone/cuda/tensors/device_ema_state.cuh>

#include <hone/core/macros_push.hpp>

namespace hone::inline HONE_ABI {

namespace on_cuda {

/// Divides the average of a state that began at zero by its total weight, if that is above 0.
struct corrected_job {
  static constexpr bool writes_other = false;

  detail::average_progress const* progress;
  unsigned char const* copied;

  template <class A>
  struct task {
    static constexpr bool reads = false;
    A counted;
    bool idle;
    __device__ void operator()(A& x, A const& y) const { x = y / counted; }
    template <class Change>
    __device__ void choose(Change const& change) const {
      change(*this);
    }
  };
  template <class A>
  __device__ task<A> of(int tensor) const {
    const double counted = detail::average_progress{0, read_by_warp(&progress->start)}.counted();
    const bool divides = read_by_warp(copied + tensor) == 0;
    return {static_cast<A>(divides ? counted : 1), !(counted > 0)};
  }
};

}  // namespace on_cuda

/// Enqueues a copy of tensors to tensors of the same sizes, as one kernel. Floating-point numbers are rounded if the
/// target is narrower; integers keep their type. Throws as hone::copy on the CPU.
template <class From, class To>
void copy(cuda& backend, device_list<From> const& from, device_list<To> const& to) {
  detail::require_copy(from.tensors(), to.tensors());
  const on_cuda::device_of_stream device(backend.placed());
  on_cuda::enqueue_pairs(backend.stream(), to.table(), from.table().data, on_cuda::copy_job{}, "copy: pair_kernel");
}

/// Enqueues a copy of the averages of a state to tensors of the same sizes. If the state began at zero,
/// they are divided by their total weight; if it has averaged nothing yet, which the host does not
/// know, nothing is written.
template <class T, class To>
void copy(cuda& backend, device_ema_state<T> const& state, device_list<To> const& to) {
  static_assert(element<To>, "copy: averages go to float, double, or a 16-bit floating-point type");
  state.require_averages("copy");
  if (!state.from_zero()) return copy(backend, state.list(), to);
  detail::require_like_state("copy", "to", state, to.tensors());
  detail::require_apart("copy", "to", to.tensors());
  const on_cuda::device_of_stream device(backend.placed());
  on_cuda::enqueue_pairs(backend.stream(), to.table(), state.list().table().data,
                         on_cuda::corrected_job{state.progress().data(), state.copied()}, "copy: pair_kernel");
}

/// The same for lists that are not prepared: their tables are uploaded for this call only.
template <class From, class To>
void copy(cuda& backend, tensor_list<From> const& from, tensor_list<To> const& to) {
  detail::require_copy(from, to);
  copy(backend, device_list<From>(backend, from), device_list<To>(backend, to));
}
template <class T, class To>
void copy(cuda& backend, device_ema_state<T> const& state, tensor_list<To> const& to) {
  detail::require_like_state("copy", "to", state, to);
  copy(backend, state, device_list<To>(backend, to));
}

}  // namespace hone::inline HONE_ABI

#include <hone/core/macros_pop.hpp>
