// SPDX-License-Identifier: MIT
/// What the adapter of LibTorch must know about a backend.
#pragma once

#include <hone/adapt/torch/tensor.hpp>

#include <hone/core/macros_push.hpp>

namespace hone::inline HONE_ABI::adapt::detail {

/// Specialised in torch/cpu.hpp and torch_cuda.cuh:
///   device         of its tensors
///   returns_value  whether evaluate returns the value on the host
///   numbers        its 16-bit types
///   require_stream(function, backend, logits)  throws if the backend works on another stream than LibTorch
///   evaluate(backend, objective, view, outputs, reduction)
///   times(gradient, factor, in_place)  the product with a tensor of one number, read on its device
template <class Backend>
struct backend_traits;

template <class Backend>
using traits_of = backend_traits<std::remove_cvref_t<Backend>>;

template <class Backend>
concept backend = requires { traits_of<Backend>::device; };

}  // namespace hone::inline HONE_ABI::adapt::detail

#include <hone/core/macros_pop.hpp>
