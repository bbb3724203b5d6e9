// SPDX-License-Identifier: MIT
/// The argument of every kernel of evaluate.
#pragma once

#include <hone/core/evaluation.hpp>
#include <hone/cuda/memory/divisor.cuh>
#include <hone/cuda/memory/values.cuh>
#include <hone/cuda/memory/views.cuh>
#include <hone/cuda/run/dependent.cuh>
#include <hone/cuda/run/launch.cuh>

#include <hone/core/macros_push.hpp>

namespace hone::inline HONE_ABI::on_cuda {

template <class View, class... Leaf>
struct job : detail::evaluation<View, Leaf...> {
  using factors = typename job::A[sizeof...(Leaf)];
  using value = grid_value<typename job::A>;  // see memory/values.cuh
  template <int>
  using piece_value = piece_total<typename job::A>;

  scale_of_leaf scales[sizeof...(Leaf)];
  grid_scratch scratch;
  unsigned long long* invalid_labels;  // a counter, or null

  /// Reads the factors of the reduction, in complete warps; 0 if there is nothing to average. Waits for the kernels
  /// that count them.
  __device__ void read_scales(factors& to) const {
    wait_for_prerequisites();
#pragma unroll
    for (std::size_t k = 0; k < sizeof...(Leaf); ++k) {
      using A = typename job::A;
      const A factor = threadIdx.x % 32 == 0 ? static_cast<A>(scales[k].get()) : A(0);
      to[k] = __shfl_sync(all_lanes, factor, 0);  // read once per warp
    }
  }
  /// Makes the launch of a kernel that calls read_scales dependent, if other kernels count rows before it.
  grid dependent(grid of) const noexcept {
    for (scale_of_leaf const& scale : scales) of.dependent |= scale.counted != nullptr;
    return of;
  }
  /// Returns a number of the gradient as it is stored.
  template <class V>
  __device__ V of_gradient(V x) const {
    return x;
  }
};

/// Enqueues zeros behind the rows of the gradient, where these are requested.
template <class Outputs>
void clear_padding(cuda const& backend, [[maybe_unused]] Outputs const& out) {
  if constexpr (requires { out.zero_padding, out.gradient.row_stride; }) {
    const auto to = out.gradient;
    const auto size = sizeof(*to.data);
    if (!out.zero_padding || !to.data || to.rows == 0 || to.row_stride == to.columns) return;
    check(cudaMemset2DAsync(to.data + to.columns, static_cast<std::size_t>(to.row_stride) * size, 0,
                            static_cast<std::size_t>(to.row_stride - to.columns) * size,
                            static_cast<std::size_t>(to.rows), backend.stream()),
          "cudaMemset2DAsync");
  }
}

/// Writes the outputs of a prediction without elements: its value and its losses are 0.
template <class Outputs>
void write_nothing(cuda const& backend, Outputs const& out, index rows) {
  const auto clear = [&](auto* to, index count) {
    if (to && count > 0)
      check(cudaMemsetAsync(to, 0, sizeof(*to) * static_cast<std::size_t>(count), backend.stream()), "cudaMemsetAsync");
  };
  clear(out.unreduced, rows);
  clear(out.value, 1);
  clear(out.log_sum_exp, rows);
  clear(out.correct, 1);
  clear(out.counted, 1);
  if (out.predicted && rows > 0)  // -1
    check(cudaMemsetAsync(out.predicted, 0xff, sizeof(int) * static_cast<std::size_t>(rows), backend.stream()),
          "cudaMemsetAsync");
  clear_padding(backend, out);
}

}  // namespace hone::inline HONE_ABI::on_cuda

#include <hone/core/macros_pop.hpp>
