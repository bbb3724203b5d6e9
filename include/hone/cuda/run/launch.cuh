// SPDX-License-Identifier: MIT
/// Launches of kernels, checked.
#pragma once

#include <hone/cuda/run/error.cuh>

#include <type_traits>

#include <hone/core/macros_push.hpp>

namespace hone::inline HONE_ABI::on_cuda {

struct grid {
  int blocks, threads, shared_bytes = 0;
};

/// kernel<<<…>>>(arguments…), which throws where this launch is refused. An error that somebody else left is not ours
/// to tell, as cudaGetLastError would.
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
