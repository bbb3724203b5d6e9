// SPDX-License-Identifier: MIT
/// Errors of the CUDA runtime, as exceptions.
#pragma once

#include <hone/core/error.hpp>

#include <cuda_runtime_api.h>

#include <string>

#include <hone/core/macros_push.hpp>

namespace hone::inline HONE_ABI {

/// A call of the CUDA runtime failed; what() names it. Without exceptions, the handler gets the message.
class cuda_error : public std::runtime_error {
 public:
  cuda_error(cudaError_t code, std::string const& message) : std::runtime_error(message), code_(code) {}

  cudaError_t code() const noexcept { return code_; }

 private:
  cudaError_t code_;
};

namespace on_cuda {

/// Returns whether a call succeeded, and clears the runtime's last error if not.
inline bool forget_error(cudaError_t code) noexcept {
  if (code != cudaSuccess) static_cast<void>(cudaGetLastError());
  return code == cudaSuccess;
}

/// Throws hone::cuda_error if a call failed, and clears the runtime's last error.
inline void check(cudaError_t code, const char* what) {
  if (!forget_error(code)) detail::raise(cuda_error(code, std::string(what) + ": " + cudaGetErrorString(code)));
}

}  // namespace on_cuda
}  // namespace hone::inline HONE_ABI

#include <hone/core/macros_pop.hpp>
