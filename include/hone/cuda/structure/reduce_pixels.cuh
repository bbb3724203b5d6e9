// SPDX-License-Identifier: MIT
/// Pixel reductions on CUDA, and their gradients.
#pragma once

#include <hone/core/narrowed.hpp>
#include <hone/cuda/run/backend.cuh>
#include <hone/cuda/structure/pixel_threads.cuh>
#include <hone/structure/pixel_reduction.hpp>

#include <cmath>
#include <type_traits>

#include <hone/core/macros_push.hpp>

namespace hone::inline HONE_ABI {
namespace on_cuda {

/// first may be null.
template <class T>
__global__ void __launch_bounds__(block_threads, 1)
    reduce_pixels_kernel(T const* const x, accumulator_t<T>* const out, matrix_view<accumulator_t<T>> const first,
                         pixel_places const places) {
  using A = accumulator_t<T>;
  const index pixels = places.pixels.by, channels = places.channels;
  for (index k = pixel_places::first(); k < places.count(); k += pixel_places::step()) {
    const pixel_place at(places, k);
    A sum(0), largest(-HUGE_VAL);
    index which = 0;
    for (index c = 0; c < channels; c += 4) {  // sums of four lose fewer digits
      A part(0);
      for (index i = c; i < channels && i < c + 4; ++i) {
        const A z = static_cast<A>(x[at.begin + i * pixels]);
        part += z;
        if (largest == largest && !(z <= largest)) largest = z, which = i;  // what is no number stays
      }
      sum += part;
    }
    A* const to = out + 2 * at.image * pixels + at.pixel;
    to[0] = detail::narrowed<A>(static_cast<double>(sum) / static_cast<double>(channels));
    to[pixels] = largest;
    if (first.data) first.row(at.image)[at.pixel] = static_cast<A>(which);
  }
}

template <class T>
__global__ void __launch_bounds__(block_threads, 1)
    reduce_pixels_backward_kernel(accumulator_t<T> const* const dout, matrix_view<const accumulator_t<T>> const first,
                                  T* const dx, pixel_places const places) {
  using A = accumulator_t<T>;
  const index pixels = places.pixels.by;
  for (index k = pixel_places::first(); k < places.count(); k += pixel_places::step()) {
    const pixel_place at(places, k);
    A const* const from = dout + 2 * at.image * pixels + at.pixel;
    const A each = detail::narrowed<A>(static_cast<double>(from[0]) / static_cast<double>(places.channels));
    const A largest = from[pixels], which = first.row(at.image)[at.pixel];
    for (index c = 0; c < places.channels; ++c)
      dx[at.begin + c * pixels] = detail::narrowed<T>(static_cast<A>(c) == which ? each + largest : each);
  }
}

}  // namespace on_cuda

/// Enqueues hone::reduce_pixels, as documented for the CPU, as one kernel. All views are of device memory.
template <class T>
void reduce_pixels(cuda& backend, image_view<T> x, std::type_identity_t<image_view<accumulator_t<T>>> out,
                   std::type_identity_t<matrix_view<accumulator_t<T>>> first = {}) {
  using number = std::remove_const_t<T>;
  static_assert(element<number>, "reduce_pixels: x must be of float, double or a 16-bit type");
  const image_view<const number> from = x;
  detail::require_reduce_pixels<number, accumulator_t<T>>(from, out, first);
  if (x.images * x.pixels == 0) return;
  const on_cuda::device_of_stream device(backend.placed());
  on_cuda::launch_pixels("reduce_pixels: reduce_pixels_kernel", on_cuda::reduce_pixels_kernel<number>, from,
                         backend.stream(), from.data, out.data, first, on_cuda::pixel_places(from));
}

/// Enqueues hone::reduce_pixels_backward, as documented for the CPU, as one kernel.
template <class T>
void reduce_pixels_backward(cuda& backend, std::type_identity_t<image_view<const accumulator_t<T>>> dout,
                            std::type_identity_t<matrix_view<const accumulator_t<T>>> first, image_view<T> dx) {
  static_assert(!std::is_const_v<T>, "reduce_pixels_backward: dx is written, its type is const");
  static_assert(element<T>, "reduce_pixels_backward: dx must be of float, double or a 16-bit type");
  detail::require_reduce_pixels_backward<T, accumulator_t<T>>(dout, first, dx);
  if (dx.images * dx.pixels == 0) return;
  const on_cuda::device_of_stream device(backend.placed());
  on_cuda::launch_pixels("reduce_pixels_backward: reduce_pixels_backward_kernel",
                         on_cuda::reduce_pixels_backward_kernel<T>, dx, backend.stream(), dout.data, first, dx.data,
                         on_cuda::pixel_places(dx));
}

}  // namespace hone::inline HONE_ABI

#include <hone/core/macros_pop.hpp>
