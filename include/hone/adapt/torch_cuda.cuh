// SPDX-License-Identifier: MIT
/// The functions of hone/adapt/torch.hpp for CUDA tensors: docs/torch.md. Compiled by nvcc; not yet run on a GPU.
#pragma once

#include <hone/adapt/torch/loss.hpp>
#include <hone/cuda/evaluate.cuh>

#include <c10/cuda/CUDAStream.h>
#include <cuda_bf16.h>
#include <cuda_fp16.h>

#include <hone/core/macros_push.hpp>

namespace hone::inline HONE_ABI::adapt {

/// hone::cuda on LibTorch's current stream of the current device. It owns a workspace: keep it from step to step, one
/// per stream and host thread.
inline cuda torch_cuda() { return cuda(c10::cuda::getCurrentCUDAStream().stream()); }

namespace detail {

template <>
struct backend_traits<cuda> {
  static constexpr at::DeviceType device = at::kCUDA;
  struct numbers {
    using half = __half;
    using bfloat16 = __nv_bfloat16;
  };
  static constexpr bool returns_value = false;

  /// Fails unless the backend's stream is the one on which LibTorch works on the tensor.
  static void require_stream(const char* function, cuda const& backend, at::Tensor const& logits) {
    if (backend.stream() != c10::cuda::getCurrentCUDAStream(logits.device().index()).stream())
      hone::detail::fail("%s: the backend's stream is not the current stream of %s, where logits is: see torch_cuda",
                         function, logits.device().str().c_str());
  }
  template <class Objective, class View, class Outputs>
  static void evaluate(cuda& backend, Objective const& objective, View view, Outputs const& to, reduction how) {
    hone::evaluate(backend, objective, view, to, how);
  }

  static at::Tensor times(at::Tensor const& gradient, at::Tensor const& factor, bool in_place) {
    return in_place ? gradient.mul_(factor.detach()) : gradient.mul(factor.detach());
  }
};

}  // namespace detail
}  // namespace hone::inline HONE_ABI::adapt

#include <hone/core/macros_pop.hpp>
