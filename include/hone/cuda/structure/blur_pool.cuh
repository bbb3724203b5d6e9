// SPDX-License-Identifier: MIT
/// Blur pools on CUDA, forward and backward.
#pragma once

#include <hone/cuda/structure/pool.cuh>
#include <hone/structure/blur_pool.hpp>

#include <type_traits>

#include <hone/core/macros_push.hpp>

namespace hone::inline HONE_ABI {

/// Enqueues hone::blur_pool, as documented for the CPU, as one kernel. All views are of device memory.
template <class T>
void blur_pool(cuda& backend, std::type_identity_t<image_view<const T>> x, plane_size size, image_view<T> y,
               blur_pool_options options = {}) {
  static_assert(!std::is_const_v<T>, "blur_pool: y is written, its type is const");
  static_assert(element<T>, "blur_pool: y must be of float, double or a 16-bit type");
  const plane_size to = detail::pooled_size("blur_pool", size, options);
  detail::require_pooled("blur_pool", "x", x, size, "y", y, to);
  on_cuda::pool_planes("blur_pool: pool_kernel", backend, x, size, detail::blur_axis(size.height, to.height, options),
                       detail::blur_axis(size.width, to.width, options), y, to);
}

/// Enqueues hone::blur_pool_backward, as documented for the CPU, as one kernel. The same bits in every run.
template <class T>
void blur_pool_backward(cuda& backend, std::type_identity_t<image_view<const T>> dy, plane_size size, image_view<T> dx,
                        blur_pool_options options = {}) {
  static_assert(!std::is_const_v<T>, "blur_pool_backward: dx is written, its type is const");
  static_assert(element<T>, "blur_pool_backward: dx must be of float, double or a 16-bit type");
  const plane_size from = detail::pooled_size("blur_pool_backward", size, options);
  detail::require_pooled("blur_pool_backward", "dx", dx, size, "dy", dy, from);
  on_cuda::pool_planes("blur_pool_backward: pool_kernel", backend, dy, from,
                       detail::blurs_of_pixel{detail::blur_axis(size.height, from.height, options)},
                       detail::blurs_of_pixel{detail::blur_axis(size.width, from.width, options)}, dx, size);
}

}  // namespace hone::inline HONE_ABI

#include <hone/core/macros_pop.hpp>
