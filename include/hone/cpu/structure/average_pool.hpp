// SPDX-License-Identifier: MIT
/// Average pools on the CPU, forward and backward.
#pragma once

#include <hone/cpu/structure/pool.hpp>
#include <hone/structure/average_pool.hpp>

#include <type_traits>

#include <hone/core/macros_push.hpp>

namespace hone::inline HONE_ABI {

/// Writes the means of windows of x to y. size is the height and the width of x's planes; y has planes of
/// average_pool_size(size, options):
///
///     hone::average_pool(cpu, x, {56, 56}, y, {.size = 2, .stride = 2})
///
/// Sums are added in a fixed order. Throws hone::invalid_argument, and writes nothing, if a shape does not fit, an
/// option is out of range or memory overlaps.
template <class T>
void average_pool(cpu const& backend, std::type_identity_t<image_view<const T>> x, plane_size size, image_view<T> y,
                  average_pool_options options = {}) {
  static_assert(!std::is_const_v<T>, "average_pool: y is written, its type is const");
  static_assert(element<T>, "average_pool: y must be of float, double or a 16-bit type");
  const plane_size to = detail::pooled_size("average_pool", size, options);
  detail::require_pooled("average_pool", "x", x, size, "y", y, to);
  on_cpu::pool_planes(backend, x, size, detail::average_axis(size.height, to.height, options),
                      detail::average_axis(size.width, to.width, options), y, to);
}

/// Writes the gradient of average_pool by x to dx, from the gradient by y. Sums over windows are added in order. Throws
/// as average_pool does.
template <class T>
void average_pool_backward(cpu const& backend, std::type_identity_t<image_view<const T>> dy, plane_size size,
                           image_view<T> dx, average_pool_options options = {}) {
  static_assert(!std::is_const_v<T>, "average_pool_backward: dx is written, its type is const");
  static_assert(element<T>, "average_pool_backward: dx must be of float, double or a 16-bit type");
  const plane_size from = detail::pooled_size("average_pool_backward", size, options);
  detail::require_pooled("average_pool_backward", "dx", dx, size, "dy", dy, from);
  on_cpu::pool_planes(backend, dy, from,
                      detail::averages_of_pixel{detail::average_axis(size.height, from.height, options)},
                      detail::averages_of_pixel{detail::average_axis(size.width, from.width, options)}, dx, size);
}

}  // namespace hone::inline HONE_ABI

#include <hone/core/macros_pop.hpp>
