// SPDX-License-Identifier: MIT
/// All gradients by one factor in device memory.
#pragma once

#include <hone/core/tensor_overlap.hpp>
#include <hone/cuda/memory/device_scalar.cuh>
#include <hone/cuda/tensors/gradients.cuh>
#include <hone/gradient/scaling.hpp>

#include <type_traits>

#include <hone/core/macros_push.hpp>

namespace hone::inline HONE_ABI {
namespace on_cuda {

template <class T>
__global__ void __launch_bounds__(block_threads, sizeof(T) == 2 ? 3 : 4)
    multiply_kernel(list_table<T> const list, numbers const factor, bool const* finite) {
  using A = accumulator_t<T>;
  constexpr int N = wide_of<T>;
  __shared__ shared_piece at;
  if (finite && !read_by_warp(finite)) return;
  const detail::scaling scale_rule{factor[0], detail::infinity, 1, detail::infinity};
  if (!scale_rule.changes(0)) return;
  const bool fits = scale_rule.template fits<A>(0);
  const A by = static_cast<A>(scale_rule.scale);
  for (index piece = blockIdx.x; piece < list.pieces; piece += gridDim.x) {
    at.read(list, static_cast<T const* const*>(nullptr), piece);
    at.visit(
        piece,
        [&](index, index, index first, index n) {
          T* const g = at.data_of<T>() + first;
          const int rank = static_cast<int>(threadIdx.x), size = static_cast<int>(blockDim.x);
          if (fits) return multiply_part(g, static_cast<int>(n), rank, size, by);
          each_piece_of<N>(g, n, rank, size, [&](int from, auto count) {
            A x[N] = {};
            load(g + from, x, count);
            scale_carefully(x, scale_rule);
            store(x, g + from, count);
          });
        },
        [](index, index, index, index) {});  // lists are not cut into columns
  }
}

}  // namespace on_cuda

/// Enqueues the product of all gradients and a factor in device memory, as one kernel; if it is 1, nothing is written.
/// Every number is multiplied, NaN and infinities too. `finite`, if given, is device memory: if it holds false, nothing
/// changes. After measure or settle this does what transform would have done, with its bits:
///
///     hone::multiply(gpu, hone::device_scalar(report.factor()), gradients, report.finite());
///
/// A factor that float cannot represent is applied in double. A product out of the range of T is the largest number of
/// T or infinite. Throws hone::invalid_argument if two tensors share memory.
template <class T>
void multiply(cuda& backend, device_number factor, device_list<T> const& gradients, bool const* finite = nullptr) {
  static_assert(!std::is_const_v<T>, "multiply: the gradients must not be const, for they are changed in place");
  detail::require_apart("multiply", "gradients", gradients.tensors());
  const on_cuda::device_of_stream device(backend.placed());
  on_cuda::launch_pieces("multiply: multiply_kernel", on_cuda::multiply_kernel<T>, gradients.table().pieces,
                         backend.stream(), gradients.table(), factor.value, finite);
}

/// The same for a list that is not prepared: its table is uploaded for this call only.
template <class T>
void multiply(cuda& backend, device_number factor, tensor_list<T> const& gradients, bool const* finite = nullptr) {
  detail::require_tensors("multiply", "gradients", gradients);
  multiply(backend, factor, device_list<T>(backend, gradients), finite);
}

}  // namespace hone::inline HONE_ABI

#include <hone/core/macros_pop.hpp>
