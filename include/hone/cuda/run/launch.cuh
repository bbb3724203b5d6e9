// SPDX-License-Identifier: MIT
/// Checked launches of kernels.
#pragma once

#include <hone/cuda/run/dependent.cuh>
#include <hone/cuda/run/error.cuh>

#include <type_traits>

#include <hone/core/macros_push.hpp>

namespace hone::inline HONE_ABI::on_cuda {

/// The kernel of a `dependent` launch may begin while the one before it in the stream ends. It must call
/// wait_for_prerequisites before it reads what others write, and before it writes. Where can_be_dependent is false, the
/// launch is as any other.
struct grid {
  int blocks, threads, shared_bytes = 0;
  bool dependent = false;
};

/// Launches kernel<<<…>>>(arguments…); throws hone::cuda_error if this launch fails. Uses the result of the launch,
/// because cudaGetLastError would also report errors of earlier, unrelated calls.
template <class... Parameter>
void launch(const char* name, void (*kernel)(Parameter...), grid const& of, cudaStream_t stream,
            std::type_identity_t<Parameter>... arguments) {
  void* pointers[] = {&arguments...};
  void const* const code = reinterpret_cast<void const*>(kernel);
#if CUDART_VERSION >= 12030
  if (of.dependent && can_be_dependent(code)) {
    cudaLaunchAttribute early{};
    early.id = cudaLaunchAttributeProgrammaticStreamSerialization;
    early.val.programmaticStreamSerializationAllowed = 1;
    cudaLaunchConfig_t config{};
    config.gridDim = dim3(unsigned(of.blocks)), config.blockDim = dim3(unsigned(of.threads));
    config.dynamicSmemBytes = std::size_t(of.shared_bytes), config.stream = stream;
    config.attrs = &early, config.numAttrs = 1;
    return check(cudaLaunchKernelExC(&config, code, pointers), name);
  }
#endif
  check(cudaLaunchKernel(code, dim3(unsigned(of.blocks)), dim3(unsigned(of.threads)), pointers,
                         std::size_t(of.shared_bytes), stream),
        name);
}

}  // namespace hone::inline HONE_ABI::on_cuda

#include <hone/core/macros_pop.hpp>
