// SPDX-License-Identifier: MIT
/// Kernels that begin while the one before them in the stream ends: programmatic dependent launches, from sm_90 on.
#pragma once

#include <hone/cuda/run/error.cuh>
#include <hone/cuda/run/runtime_answers.hpp>

#include <hone/core/macros_push.hpp>

namespace hone::inline HONE_ABI::on_cuda {

/// Waits until the kernels before this one have ended and their results can be read. Returns at once if the launch was
/// not dependent.
__device__ inline void wait_for_prerequisites() {
#if HONE_DEVICE_ARCHITECTURE >= 900
  asm volatile("griddepcontrol.wait;" ::: "memory");
#endif
}
/// Lets a dependent kernel begin once every block of this one has begun.
__device__ inline void allow_dependents() {
#if HONE_DEVICE_ARCHITECTURE >= 900
  asm volatile("griddepcontrol.launch_dependents;" ::: "memory");
#endif
}

inline runtime_answers known_dependents;

/// Returns whether the current device runs code of a kernel for sm_90 or later, which waits for its prerequisites, and
/// the driver can capture a dependent launch (12.3). The runtime is asked at the first call for a kernel and a device.
inline bool can_be_dependent([[maybe_unused]] void const* kernel) {
#if CUDART_VERSION >= 12030
  int device = 0;
  check(cudaGetDevice(&device), "cudaGetDevice");
  return known_dependents.find(hash_of(kernel, {device, -1}), [&] {
    cudaFuncAttributes code{};
    int driver = 0;
    check(cudaFuncGetAttributes(&code, kernel), "cudaFuncGetAttributes");
    check(cudaDriverGetVersion(&driver), "cudaDriverGetVersion");
    return code.ptxVersion >= 90 && driver >= 12030 ? 2 : 1;
  }) == 2;
#else
  return false;
#endif
}

}  // namespace hone::inline HONE_ABI::on_cuda

#include <hone/core/macros_pop.hpp>
