// SPDX-License-Identifier: MIT
/// A few small tasks, each of one thread, in one kernel.
#pragma once

#include <hone/cuda/run/backend.cuh>
#include <hone/cuda/run/launch.cuh>

#include <hone/core/macros_push.hpp>

namespace hone::inline HONE_ABI::on_cuda {

/// Calls each task in a warp of its own.
template <class... Task>
__global__ void tasks_kernel(Task... tasks) {
  int k = 0;
  const auto call = [&](auto const& task) {
    if (static_cast<int>(threadIdx.x) == 32 * k++) task();
  };
  (call(tasks), ...);
}

template <class... Task>
void enqueue_tasks(const char* name, cuda const& backend, Task const&... tasks) {
  const device_of_stream device(backend.placed());
  launch(name, tasks_kernel<Task...>, {1, 32 * static_cast<int>(sizeof...(Task))}, backend.stream(), tasks...);
}

}  // namespace hone::inline HONE_ABI::on_cuda

#include <hone/core/macros_pop.hpp>
