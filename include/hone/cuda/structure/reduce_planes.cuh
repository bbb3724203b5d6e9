// SPDX-License-Identifier: MIT
/// Plane reductions on CUDA, and their gradients.
#pragma once

#include <hone/core/narrowed.hpp>
#include <hone/cuda/run/backend.cuh>
#include <hone/cuda/structure/plane_team.cuh>
#include <hone/structure/plane_reduction.hpp>

#include <type_traits>

#include <hone/core/macros_push.hpp>

namespace hone::inline HONE_ABI {
namespace on_cuda {

/// Returns the joined numbers of a plane, in every thread of the team.
template <class Team, class Reduction, class T>
__device__ double joined_plane(Reduction const& reduce, T const* x, index pixels, bool wide) {
  using A = accumulator_t<T>;
  A total = reduce.template start<A>();
  each_run<Team, wide_of<T>>(wide, pixels, [&](auto width, index i) {
    constexpr int N = decltype(width)::value;
    A at[N];
    load<A>(x + i, at, N);
#pragma unroll
    for (int j = 0; j < N; ++j) total = reduce.join(total, at[j]);
  });
  return Team::joined([&](double a, double b) { return reduce.join(a, b); }, static_cast<double>(total));
}

template <int Size, class Reduction, class T>
__global__ void __launch_bounds__(block_threads, 1)
    reduce_planes_kernel(Reduction const reduce, image_view<const T> const x, matrix_view<accumulator_t<T>> const out,
                         divider const channels, bool const wide) {
  using team = plane_team<Size>;
  for (index p = team::first(); p < x.images * x.channels; p += team::step()) {
    const double total = joined_plane<team>(reduce, x.data + p * x.pixels, x.pixels, wide);
    if (team::rank() == 0)
      number_of_plane(out, channels, p) = detail::narrowed<accumulator_t<T>>(reduce.finish(total, x.pixels));
  }
}

template <int Size, class Reduction, class T>
__global__ void __launch_bounds__(block_threads, 1)
    reduce_planes_backward_kernel(Reduction const reduce, T const* const x,
                                  matrix_view<const accumulator_t<T>> const dout, image_view<T> const dx,
                                  divider const channels, bool const wide) {
  using team = plane_team<Size>;
  using A = accumulator_t<T>;
  for (index p = team::first(); p < dx.images * dx.channels; p += team::step()) {
    const auto gradient = static_cast<double>(number_for_warp(dout, channels, p));
    T* const to = dx.data + p * dx.pixels;
    if constexpr (Reduction::at_one_pixel) {
      T const* const from = x + p * dx.pixels;
      const double total = joined_plane<team>(reduce, from, dx.pixels, wide);
      double first = 0x1p60;  // of no thread's pixels
      for (index i = dx.pixels - 1 - team::rank(); i >= 0; i -= Size) {
        const auto at = static_cast<double>(static_cast<A>(from[i]));
        if (at == total || (total != total && at != at)) first = static_cast<double>(i);
      }
      first = team::joined(joins_smallest(), first);
      for (index i = team::rank(); i < dx.pixels; i += Size)
        to[i] = static_cast<double>(i) == first ? detail::narrowed<T>(gradient) : detail::narrowed<T>(A(0));
    } else {
      const T each = detail::narrowed<T>(gradient / static_cast<double>(dx.pixels));
      each_run<team, wide_of<T>>(wide, dx.pixels, [&](auto width, index i) {
        constexpr int N = decltype(width)::value;
        vector<T, N> all;
#pragma unroll
        for (int j = 0; j < N; ++j) all.set(j, each);
        store_vector(all, to + i);
      });
    }
  }
}

/// Enqueues the reduction of all planes; the caller has checked the arguments and made the device current.
template <class T, class Reduction>
void enqueue_reduce_planes(cudaStream_t stream, const char* name, Reduction reduce, image_view<const T> x,
                           matrix_view<accumulator_t<T>> out) {
  const index planes = x.images * x.channels;
  if (planes == 0) return;
  launch_planes(name, reduce_planes_kernel<32, Reduction, T>, reduce_planes_kernel<block_threads, Reduction, T>, planes,
                x.pixels, stream, reduce, x, out, divider(x.channels), planes_are_wide(x.pixels, x.data));
}

}  // namespace on_cuda

/// Enqueues hone::reduce_planes, as documented for the CPU, as one kernel. All views are of device memory.
template <class Reduction, class T>
void reduce_planes(cuda& backend, Reduction reduce, image_view<T> x,
                   std::type_identity_t<matrix_view<accumulator_t<T>>> out) {
  static_assert(plane_reduction<Reduction>, "reduce_planes: the reduction must be plane_mean or plane_max");
  using number = std::remove_const_t<T>;
  static_assert(element<number>, "reduce_planes: x must be of float, double or a 16-bit type");
  const image_view<const number> from = x;
  detail::require_reduce_planes<number>(from, out);
  const on_cuda::device_of_stream device(backend.placed());
  on_cuda::enqueue_reduce_planes<number>(backend.stream(), "reduce_planes: reduce_planes_kernel", reduce, from, out);
}

/// Enqueues hone::reduce_planes_backward, as documented for the CPU, as one kernel.
template <class Reduction, class T>
void reduce_planes_backward(cuda& backend, Reduction reduce, std::type_identity_t<image_view<const T>> x,
                            std::type_identity_t<matrix_view<const accumulator_t<T>>> dout, image_view<T> dx) {
  static_assert(plane_reduction<Reduction>, "reduce_planes_backward: the reduction must be plane_mean or plane_max");
  static_assert(!std::is_const_v<T>, "reduce_planes_backward: dx is written, its type is const");
  static_assert(element<T>, "reduce_planes_backward: dx must be of float, double or a 16-bit type");
  detail::require_reduce_planes_backward<T>(Reduction::at_one_pixel, x, dout, dx);
  const index planes = dx.images * dx.channels;
  if (planes == 0) return;
  const on_cuda::device_of_stream device(backend.placed());
  on_cuda::launch_planes(
      "reduce_planes_backward: reduce_planes_backward_kernel", on_cuda::reduce_planes_backward_kernel<32, Reduction, T>,
      on_cuda::reduce_planes_backward_kernel<on_cuda::block_threads, Reduction, T>, planes, dx.pixels, backend.stream(),
      reduce, x.data, dout, dx, on_cuda::divider(dx.channels), on_cuda::planes_are_wide(dx.pixels, x.data, dx.data));
}

}  // namespace hone::inline HONE_ABI

#include <hone/core/macros_pop.hpp>
