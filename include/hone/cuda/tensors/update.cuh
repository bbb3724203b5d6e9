// SPDX-License-Identifier: MIT
/// update, the function of averages, on CUDA.
#pragma once

#include <hone/cuda/tensors/device_ema_state.cuh>

#include <hone/core/macros_push.hpp>

namespace hone::inline HONE_ABI {

namespace on_cuda {

/// Runs in one thread: the effect of an update depends on the number of updates, which the host does not know if steps
/// are skipped.
template <class Average>
__global__ void decide_update_kernel(Average const average, bool from_zero, bool const* finite,
                                     detail::average_progress* progress, decided_update* decided) {
  if (finite && !*finite) {
    *decided = {0, false, true};
    return;
  }
  const detail::update_plan plan = detail::next_update(average, *progress, from_zero);
  *progress = plan.after;
  *decided = {plan.weight, plan.clear, false};
}

/// Computes s = averaged(s, p, weight), without arithmetic if the weight is 1 or 0.
struct average_job {
  static constexpr bool writes_other = false;

  decided_update const* decided;
  unsigned char const* copied;

  /// Of an update that neither copies nor clears.
  template <class A>
  struct later_update {
    static constexpr bool reads = true;
    A weight;
    __device__ void operator()(A& s, A const& p) const { s = averaged(s, p, weight); }
  };
  /// Of one that needs no number of the shadow.
  template <class A>
  struct first_update {
    static constexpr bool reads = false;
    A weight;
    bool copies;
    __device__ void operator()(A& s, A const& p) const {
      s = copies ? p : weight > 0 ? averaged(A(0), p, weight) : A(0);
    }
  };
  template <class A>
  struct task {
    A weight;
    bool idle, reads, copies;
    __device__ void operator()(A& s, A const& p) const {
      if (reads)
        later_update<A>{weight}(s, p);
      else
        first_update<A>{weight, copies}(s, p);
    }
    template <class Change>
    __device__ void choose(Change const& change) const {
      if (reads)
        change(later_update<A>{weight});
      else
        change(first_update<A>{weight, copies});
    }
  };
  template <class A>
  __device__ static task<A> of(decided_update const& now, bool copied) {
    const bool copies = now.weight == 1 || copied;
    const bool idle = now.skipped || (!copies && now.weight == 0 && !now.clear);
    return {static_cast<A>(now.weight), idle, !copies && !now.clear, copies};
  }
  template <class A>
  __device__ task<A> of(int tensor) const {
    const double weight = read_by_warp(&decided->weight);
    const bool clears = read_by_warp(&decided->clear), skipped = read_by_warp(&decided->skipped);
    return of<A>({weight, clears, skipped}, read_by_warp(copied + tensor) != 0);
  }
};

template <class Average, class T>
void enqueue_decision(cuda& backend, Average const& average, device_ema_state<T>& state, bool const* finite) {
  launch("update: decide_update_kernel", decide_update_kernel<Average>, {1, 1}, backend.stream(), average,
         state.from_zero(), finite, state.progress().data(), state.decided());
}

}  // namespace on_cuda

/// Enqueues one update of an average: two kernels for any list, which read the shadow and the parameters and write the
/// shadow. `finite`, if given, is device memory, such as report.finite(): if it holds false, the step was skipped, and
/// the update neither writes nor counts. The host never waits.
///
///     hone::update(gpu, average, shadow, parameters, report.finite());
///
/// Behaves like hone::update on the CPU, except for user-defined policies: `at` must be HONE_HD, and its weight is
/// range-checked on the host for the first update only.
template <class Average, class T, class P>
void update(cuda& backend, Average const& average, device_ema_state<T>& state, device_list<P> const& parameters,
            bool const* finite = nullptr) {
  detail::require_update<Average>(state, parameters.tensors());
  static_cast<void>(detail::next_update(average, detail::average_progress{}, state.from_zero()));  // throws
  const on_cuda::device_of_stream device(backend.placed());
  on_cuda::enqueue_decision(backend, average, state, finite);
  on_cuda::enqueue_pairs(backend.stream(), state.list().table(), parameters.table().data,
                         on_cuda::average_job{state.decided(), state.copied()}, "update: pair_kernel");
}

/// The same for parameters that are not prepared: their table is uploaded for this call only. A captured graph needs a
/// device_list.
template <class Average, class T, class P>
void update(cuda& backend, Average const& average, device_ema_state<T>& state, tensor_list<P> const& parameters,
            bool const* finite = nullptr) {
  detail::require_update<Average>(state, parameters);
  update(backend, average, state, device_list<P>(backend, parameters), finite);
}

}  // namespace hone::inline HONE_ABI

#include <hone/core/macros_pop.hpp>
