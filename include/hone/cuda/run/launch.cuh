// SPDX-License-Identifier: MIT
/// Checked launches of kernels.
#pragma once

#include <hone/cuda/run/error.cuh>

#include <type_traits>

#include <hone/core/macros_push.hpp>

namespace hone::inline HONE_ABI::on_cuda {

struct grid {
  int blocks, threads, shared_bytes = 0;
};

/// Launches kernel<<<…>>>(arguments…); throws hone::cuda_error if this launch fails. Uses the result of
/// cudaLaunchKernel, because cudaGetLastError would also report errors of earlier, unrelated calls.
template <class... Parameter>
void launch(const char* name, void (*kernel)(Parameter...), grid const& of, cudaStream_t stream,
            std::type_identity_t<Parameter>... arguments) {
  void* pointers[] = {&arguments...};
  check(cudaLaunchKernel(reinterpret_cast<void const*>(kernel), dim3(unsigned(of.blocks)), dim3(unsigned(of.threads)),
                         pointers, std::size_t(of.shared_bytes), stream),
        name);
}

}  // namespace hone::inline HONE_ABI::on_cuda

#include <hone/core/macros_pop.hpp>
