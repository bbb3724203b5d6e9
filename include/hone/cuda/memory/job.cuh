// SPDX-License-Identifier: MIT
/// The argument of every kernel of evaluate.
#pragma once

#include <hone/core/evaluation.hpp>
#include <hone/cuda/memory/divisor.cuh>
#include <hone/cuda/memory/views.cuh>

#include <hone/core/macros_push.hpp>

namespace hone::inline HONE_ABI::on_cuda {

template <class View, class... Leaf>
struct job : detail::evaluation<View, Leaf...> {
  using factors = typename job::A[sizeof...(Leaf)];

  scale_of_leaf scales[sizeof...(Leaf)];
  grid_scratch scratch;
  unsigned long long* invalid_labels;  // a counter, or null

  /// Reads the factors of the reduction, in complete warps; 0 if there is nothing to average.
  __device__ void read_scales(factors& to) const {
#pragma unroll
    for (std::size_t k = 0; k < sizeof...(Leaf); ++k) {
      using A = typename job::A;
      const A factor = threadIdx.x % 32 == 0 ? static_cast<A>(scales[k].get()) : A(0);
      to[k] = __shfl_sync(all_lanes, factor, 0);  // read once per warp
    }
  }
};

/// Writes the outputs of a prediction without elements: its value and its losses are 0.
template <class Outputs>
void write_nothing(cuda const& backend, Outputs const& out, index rows) {
  const auto clear = [&](auto* to, index count) {
    if (to && count > 0)
      check(cudaMemsetAsync(to, 0, sizeof(*to) * static_cast<std::size_t>(count), backend.stream()), "cudaMemsetAsync");
  };
  clear(out.unreduced, rows);
  clear(out.value, 1);
}

}  // namespace hone::inline HONE_ABI::on_cuda

#include <hone/core/macros_pop.hpp>
