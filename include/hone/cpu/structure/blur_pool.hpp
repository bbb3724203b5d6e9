// SPDX-License-Identifier: MIT
/// Blur pools on the CPU, forward and backward.
#pragma once

#include <hone/cpu/structure/pool.hpp>
#include <hone/structure/blur_pool.hpp>

#include <type_traits>

#include <hone/core/macros_push.hpp>

namespace hone::inline HONE_ABI {

/// Writes x, blurred and at every stride-th pixel, to y. size is the height and the width of x's planes; y has planes
/// of blur_pool_size(size, options):
///
///     hone::blur_pool(cpu, x, {56, 56}, y, {.size = 3, .stride = 2})
///
/// Sums are added in a fixed order. Throws hone::invalid_argument, and writes nothing, if a shape does not fit, an
/// option is out of range or memory overlaps.
template <class T>
void blur_pool(cpu const& backend, std::type_identity_t<image_view<const T>> x, plane_size size, image_view<T> y,
               blur_pool_options options = {}) {
  static_assert(!std::is_const_v<T>, "blur_pool: y is written, its type is const");
  static_assert(element<T>, "blur_pool: y must be of float, double or a 16-bit type");
  const plane_size to = detail::pooled_size("blur_pool", size, options);
  detail::require_pooled("blur_pool", "x", x, size, "y", y, to);
  on_cpu::pool_planes(backend, x, size, detail::blur_axis(size.height, to.height, options),
                      detail::blur_axis(size.width, to.width, options), y, to);
}

/// Writes the gradient of blur_pool by x to dx, from the gradient by y. Throws as blur_pool does.
template <class T>
void blur_pool_backward(cpu const& backend, std::type_identity_t<image_view<const T>> dy, plane_size size,
                        image_view<T> dx, blur_pool_options options = {}) {
  static_assert(!std::is_const_v<T>, "blur_pool_backward: dx is written, its type is const");
  static_assert(element<T>, "blur_pool_backward: dx must be of float, double or a 16-bit type");
  const plane_size from = detail::pooled_size("blur_pool_backward", size, options);
  detail::require_pooled("blur_pool_backward", "dx", dx, size, "dy", dy, from);
  on_cpu::pool_planes(backend, dy, from, detail::blurs_of_pixel{detail::blur_axis(size.height, from.height, options)},
                      detail::blurs_of_pixel{detail::blur_axis(size.width, from.width, options)}, dx, size);
}

}  // namespace hone::inline HONE_ABI

#include <hone/core/macros_pop.hpp>
