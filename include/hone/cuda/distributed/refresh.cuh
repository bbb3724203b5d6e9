// SPDX-License-Identifier: MIT
/// Stochastic rounding of parts of a model, on CUDA.
#pragma once

#include <hone/cuda/distributed/device_sharded_list.cuh>
#include <hone/cuda/tensors/refresh.cuh>

#include <hone/core/macros_push.hpp>

namespace hone::inline HONE_ABI {

/// Enqueues hone::refresh with stochastic rounding of a part of a model, as documented for the CPU and with its bits,
/// as one kernel. The rounding is a hone::stochastic_rounding, or a hone::device_stochastic_rounding in a captured
/// graph.
///
///     const hone::device_sharded_list parameters(gpu, list, ranks);
///     const hone::device_master_weights<float> masters(gpu, parameters.tensors());
///     hone::refresh(gpu, masters, parameters, hone::stochastic_rounding{.seed = 1, .step = step});
template <class T, class P, class Rounding = stochastic_rounding>
void refresh(cuda& backend, device_master_weights<T> const& masters, device_sharded_list<P> const& parameters,
             Rounding const& rounding) {
  on_cuda::round_masters(backend, masters, parameters, rounding);
}

}  // namespace hone::inline HONE_ABI

#include <hone/core/macros_pop.hpp>
