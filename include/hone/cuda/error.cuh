// SPDX-License-Identifier: MIT
/// What the CUDA runtime says, as exceptions.
#pragma once

#include <hone/core/error.hpp>

#include <cuda_runtime_api.h>

#include <string>

namespace hone {

/// A call of the CUDA runtime failed; what() names it. Where exceptions are off the handler gets the message.
class cuda_error : public std::runtime_error {
 public:
  cuda_error(cudaError_t code, std::string const& message) : std::runtime_error(message), code_(code) {}

  cudaError_t code() const noexcept { return code_; }

 private:
  cudaError_t code_;
};

namespace on_cuda {

inline void check(cudaError_t code, const char* what) {
  if (code != cudaSuccess) detail::raise(cuda_error(code, std::string(what) + ": " + cudaGetErrorString(code)));
}

/// To be called after every launch.
inline void check_launch(const char* kernel) { check(cudaGetLastError(), kernel); }

}  // namespace on_cuda
}  // namespace hone
