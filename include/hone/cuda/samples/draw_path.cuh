// SPDX-License-Identifier: MIT
/// The draw of drop path on CUDA, by the device, with the same bits as on the host.
#pragma once

#include <hone/cuda/samples/draw.cuh>
#include <hone/structure/drop_path.hpp>

#include <concepts>
#include <span>

#include <hone/core/macros_push.hpp>

namespace hone::inline HONE_ABI {
namespace on_cuda {

template <class A>
__global__ void __launch_bounds__(block_threads)
    draw_path_kernel(detail::path_factors<A> const factor, integer const seed, step_source const step, index const n,
                     A* const factors) {
  const detail::random_bits bits(seed, step.pointer ? integer(*step.pointer) : step.value);
  for (index i = index(blockIdx.x) * block_threads + threadIdx.x; i < n; i += index(gridDim.x) * block_threads)
    factors[i] = factor(bits, static_cast<std::uint64_t>(i));
}

}  // namespace on_cuda

/// Writes the factors of drop path, float or double, to device memory, with the same bits as policy.draw(seed, step,
/// branch, …). The step is an integer, or hone::device_step(pointer): each replay of a graph then draws anew.
///
///     hone::draw(gpu, hone::drop_path{.rate = 0.1}, seed, step, block, factors);
///
/// Throws hone::invalid_argument if policy.draw would.
template <std::floating_point A>
void draw(cuda& backend, drop_path const& policy, integer seed, on_cuda::step_source step, integer branch,
          std::span<A> factors) {
  const detail::path_factors<A> factor(policy, branch, factors.size());
  if (factors.empty()) return;
  const on_cuda::device_of_stream device(backend.placed());
  const auto n = static_cast<index>(factors.size());
  on_cuda::launch("draw: draw_path_kernel", on_cuda::draw_path_kernel<A>,
                  {on_cuda::blocks_for(n), on_cuda::block_threads}, backend.stream(), factor, seed, step, n,
                  factors.data());
}

}  // namespace hone::inline HONE_ABI

#include <hone/core/macros_pop.hpp>
