// SPDX-License-Identifier: MIT
/// A thread per pixel, which visits all its channels: neighbouring threads read neighbouring numbers, and sums need no
/// other thread.
#pragma once

#include <hone/core/view.hpp>
#include <hone/cuda/run/launch.cuh>
#include <hone/cuda/run/launch.hpp>

#include <type_traits>

#include <hone/core/macros_push.hpp>

namespace hone::inline HONE_ABI::on_cuda {

/// The pixels of images of `channels` channels.
struct pixel_places {
  index images, channels;
  divider pixels;

  template <class T>
  explicit pixel_places(image_view<T> v) : images(v.images), channels(v.channels), pixels(v.pixels) {}

  __device__ index count() const { return images * pixels.by; }
  __device__ static index first() { return index(blockIdx.x) * block_threads + static_cast<int>(threadIdx.x); }
  __device__ static index step() { return index(gridDim.x) * block_threads; }
};
/// One pixel: its image, its place in a plane, and where its first channel is.
struct pixel_place {
  index image, pixel, begin;

  __device__ pixel_place(pixel_places const& all, index k)
      : image(all.pixels.quotient(k)),
        pixel(k - image * all.pixels.by),
        begin(image * all.channels * all.pixels.by + pixel) {}
};

/// Launches a kernel with a thread per pixel.
template <class... Parameter, class T>
void launch_pixels(const char* name, void (*kernel)(Parameter...), image_view<T> of, cudaStream_t stream,
                   std::type_identity_t<Parameter>... arguments) {
  const index blocks = (of.images * of.pixels + block_threads - 1) / block_threads;
  launch(name, kernel, {grid_for(blocks), block_threads}, stream, arguments...);
}

}  // namespace hone::inline HONE_ABI::on_cuda

#include <hone/core/macros_pop.hpp>
