// SPDX-License-Identifier: MIT
/// The kernel of all pools of planes, forward and backward: a thread gathers one number, so that nothing is added by
/// atomics and the bits are the same in every run.
#pragma once

#include <hone/core/narrowed.hpp>
#include <hone/cuda/run/backend.cuh>
#include <hone/cuda/run/launch.cuh>
#include <hone/cuda/run/launch.hpp>
#include <hone/cuda/simd/device_float.cuh>
#include <hone/structure/pool.hpp>

#include <type_traits>

#include <hone/core/macros_push.hpp>

namespace hone::inline HONE_ABI::on_cuda {

/// How numbers of the output are counted: through the columns, the rows and then the planes.
struct pool_places {
  index numbers, width_of_input, pixels_of_input;
  divider width, height;
};

template <class T, class Axis>
__global__ void __launch_bounds__(block_threads, 1)
    pool_kernel(T const* const in, Axis const rows, Axis const columns, T* const out, pool_places const places) {
  using A = accumulator_t<T>;
  for (index n = index(blockIdx.x) * block_threads + threadIdx.x; n < places.numbers;
       n += index(gridDim.x) * block_threads) {
    const index line = places.width.quotient(n), j = n - line * places.width.by;
    const index plane = places.height.quotient(line), i = line - plane * places.height.by;
    T const* const from = in + plane * places.pixels_of_input;
    A total(0);
    rows.template each<A>(i, [&](index h, A weight) {
      A sum(0);
      columns.template each<A>(j,
                               [&](index w, A by) { sum += by * static_cast<A>(from[h * places.width_of_input + w]); });
      total += weight * sum;
    });
    using V = operand_of<A>;
    const V divisor(static_cast<A>(rows.divisor(i) * columns.divisor(j)));
    out[n] = detail::narrowed<T>(static_cast<A>(V(total) / divisor));
  }
}

/// Enqueues the pool: see pool_planes of the CPU.
template <class T, class Axis>
void pool_planes(const char* name, cuda& backend, image_view<const T> in, plane_size from, Axis const& rows,
                 Axis const& columns, image_view<T> out, plane_size to) {
  const index numbers = out.images * out.channels * out.pixels;
  if (numbers == 0) return;
  const device_of_stream device(backend.placed());
  launch(name, pool_kernel<T, Axis>, {blocks_for(numbers), block_threads}, backend.stream(), in.data, rows, columns,
         out.data, pool_places{numbers, from.width, in.pixels, divider(to.width), divider(to.height)});
}

}  // namespace hone::inline HONE_ABI::on_cuda

#include <hone/core/macros_pop.hpp>
