// SPDX-License-Identifier: MIT
/// The average of several teachers, on CUDA.
#pragma once

#include <hone/cuda/rows/team.cuh>
#include <hone/cuda/run/backend.cuh>
#include <hone/cuda/run/launch.cuh>
#include <hone/cuda/run/launch.hpp>
#include <hone/cuda/simd/device_float.cuh>
#include <hone/distil/average_teachers.hpp>

#include <initializer_list>
#include <limits>
#include <type_traits>

#include <hone/core/macros_push.hpp>

namespace hone::inline HONE_ABI {

namespace on_cuda {

template <class T>
struct teacher_list {
  matrix_view<const T> at[detail::max_teachers];
  static constexpr accumulator_t<T> lowest = std::numeric_limits<accumulator_t<T>>::lowest();

  detail::teacher_shares shares;
  int count;
};

/// One warp per row. Lane m holds the normaliser of teacher m.
template <class T>
__global__ void __launch_bounds__(block_threads)
    average_teachers_kernel(teacher_list<T> const teachers, double temperature, bool of_logits, matrix_view<T> out) {
  using A = operand_of<accumulator_t<T>>;
  constexpr int warps = block_threads / 32;
  constexpr A lowest{teacher_list<T>::lowest};
  const one_warp team;
  const A rate(1 / temperature);
  const auto at = [&](int m, index i, index c) {
    return A(accumulator_t<T>(teachers.at[m].data[i * teachers.at[m].row_stride + c]));
  };
  for (index i = index(blockIdx.x) * warps + threadIdx.x / 32; i < out.rows; i += index(gridDim.x) * warps) {
    A own_maximum(0), own_log(0);  // of the teacher with the number of the lane
    for (int m = 0; m < teachers.count && !of_logits; ++m) {
      A maximum = lowest, total(0);
      for (index c = team.rank(); c < out.columns; c += 32) maximum = larger()(maximum, at(m, i, c));
      team.reduce(larger(), [&](auto const& f) { f(maximum); });
      for (index c = team.rank(); c < out.columns; c += 32) total += exp_of_nonpositive((at(m, i, c) - maximum) * rate);
      team.reduce(added(), [&](auto const& f) { f(total); });
      if (team.rank() == m) own_maximum = maximum, own_log = log(total) - A(log(teachers.shares.at[m]));
    }
    for (index first = 0; first < out.columns; first += 32) {  // all lanes, because they exchange their normalisers
      const index c = first + team.rank();
      const bool in_row = c < out.columns;
      A maximum = lowest, sum(0);
      for (int m = 0; m < teachers.count && !of_logits; ++m) {
        const A of_row = __shfl_sync(all_lanes, own_maximum, m), norm = __shfl_sync(all_lanes, own_log, m);
        if (in_row) maximum = larger()(maximum, (at(m, i, c) - of_row) * rate - norm);
      }
      for (int m = 0; m < teachers.count; ++m) {
        const A of_row = __shfl_sync(all_lanes, own_maximum, m), norm = __shfl_sync(all_lanes, own_log, m);
        if (!in_row || !(teachers.shares.at[m] > 0)) continue;
        sum += of_logits ? A(teachers.shares.at[m]) * at(m, i, c)
                         : exp_of_nonpositive((at(m, i, c) - of_row) * rate - norm - maximum);
      }
      const A answer = of_logits ? sum : (maximum + log(sum)) * A(temperature);
      if (in_row) out.data[i * out.row_stride + c] = detail::narrowed<T>(static_cast<accumulator_t<T>>(answer));
    }
  }
}

}  // namespace on_cuda

/// Enqueues hone::average_teachers, as documented for the CPU, as one kernel. The views are of device memory; the list
/// of views and the weights are in host memory and may be freed after the call.
template <class T>
void average_teachers(cuda& backend, std::type_identity_t<std::span<const matrix_view<const T>>> teachers,
                      real temperature, matrix_view<T> out, average_teachers_options const& options = {}) {
  on_cuda::teacher_list<T> all{
      {}, detail::require_teachers<T>(teachers, temperature.value, out, options), static_cast<int>(teachers.size())};
  for (std::size_t m = 0; m < teachers.size(); ++m) all.at[m] = teachers[m];
  if (out.rows == 0 || out.columns == 0) return;
  const on_cuda::device_of_stream device(backend.placed());
  on_cuda::launch("average_teachers: average_teachers_kernel", on_cuda::average_teachers_kernel<T>,
                  {on_cuda::blocks_for(32 * out.rows), on_cuda::block_threads}, backend.stream(), all,
                  temperature.value, options.of == mean_of::logits, out);
}
template <class T>
void average_teachers(cuda& backend, std::type_identity_t<std::initializer_list<matrix_view<const T>>> teachers,
                      real temperature, matrix_view<T> out, average_teachers_options const& options = {}) {
  average_teachers(backend, std::span<const matrix_view<const T>>(teachers.begin(), teachers.size()), temperature, out,
                   options);
}

}  // namespace hone::inline HONE_ABI

#include <hone/core/macros_pop.hpp>
