// SPDX-License-Identifier: MIT
/// Average pools on the CPU, forward and backward.
#pragma once

#include <hone/cpu/structure/plane_cut.hpp>
#include <hone/structure/average_pool.hpp>

#include <hone/core/narrowed.hpp>

#include <algorithm>
#include <type_traits>

#include <hone/core/macros_push.hpp>

namespace hone::inline HONE_ABI {
namespace on_cpu {

/// One axis of a pool: window o has the pixels [o stride, min(o stride + size, length)).
struct pool_axis {
  index size, stride, length, windows;

  index begin(index o) const noexcept { return o * stride; }
  index end(index o) const noexcept { return std::min(o * stride + size, length); }
  /// The windows [first, last) that contain pixel i.
  index first(index i) const noexcept { return i < size ? 0 : (i - size) / stride + 1; }
  index last(index i) const noexcept { return std::min(i / stride + 1, windows); }
};

template <class A, class T>
A pooled_number(T const* x, pool_axis const& rows, pool_axis const& columns, index i, index j) noexcept {
  A sum(0);
  for (index h = rows.begin(i); h < rows.end(i); ++h)
    for (index w = columns.begin(j); w < columns.end(j); ++w) sum += static_cast<A>(x[h * columns.length + w]);
  return sum / static_cast<A>((rows.end(i) - rows.begin(i)) * (columns.end(j) - columns.begin(j)));
}
template <class A, class T>
A pooled_gradient(T const* dy, pool_axis const& rows, pool_axis const& columns, index h, index w) noexcept {
  A sum(0);
  for (index i = rows.first(h); i < rows.last(h); ++i)
    for (index j = columns.first(w); j < columns.last(w); ++j)
      sum += static_cast<A>(dy[i * columns.windows + j]) /
             static_cast<A>((rows.end(i) - rows.begin(i)) * (columns.end(j) - columns.begin(j)));
  return sum;
}

}  // namespace on_cpu

/// Writes the means of windows of x to y. size is the height and the width of x's planes; y has planes of
/// average_pool_size(size, options):
///
///     hone::average_pool(cpu, x, {56, 56}, y, {.size = 2, .stride = 2})
///
/// Throws hone::invalid_argument, and writes nothing, if a shape does not fit, an option is out of range or memory
/// overlaps.
template <class T>
void average_pool(cpu const& backend, std::type_identity_t<image_view<const T>> x, plane_size size, image_view<T> y,
                  average_pool_options options = {}) {
  using A = accumulator_t<T>;
  static_assert(element<T>, "average_pool: y must be of float, double or a 16-bit type");
  const plane_size to = detail::require_pooled("average_pool", "x", x, size, "y", y, options);
  const on_cpu::pool_axis rows{options.size.value, options.stride.value, size.height, to.height},
      columns{options.size.value, options.stride.value, size.width, to.width};
  on_cpu::for_planes(backend, on_cpu::plane_cut(x), 0, [&](index from, index end, std::byte*) {
    for (index p = from; p < end; ++p)
      for (index i = 0; i < to.height; ++i)
        for (index j = 0; j < to.width; ++j)
          y.data[(p * to.height + i) * to.width + j] =
              detail::narrowed<T>(on_cpu::pooled_number<A>(x.data + p * x.pixels, rows, columns, i, j));
  });
}

/// Writes the gradient of average_pool by x to dx, from the gradient by y. Sums over windows are added in order. Throws
/// as average_pool does.
template <class T>
void average_pool_backward(cpu const& backend, std::type_identity_t<image_view<const T>> dy, plane_size size,
                           image_view<T> dx, average_pool_options options = {}) {
  using A = accumulator_t<T>;
  static_assert(element<T>, "average_pool_backward: dx must be of float, double or a 16-bit type");
  const plane_size from_size = detail::require_pooled("average_pool_backward", "dx", dx, size, "dy", dy, options);
  const on_cpu::pool_axis rows{options.size.value, options.stride.value, size.height, from_size.height},
      columns{options.size.value, options.stride.value, size.width, from_size.width};
  on_cpu::for_planes(backend, on_cpu::plane_cut(dx), 0, [&](index from, index end, std::byte*) {
    for (index p = from; p < end; ++p)
      for (index h = 0; h < size.height; ++h)
        for (index w = 0; w < size.width; ++w)
          dx.data[p * dx.pixels + h * size.width + w] =
              detail::narrowed<T>(on_cpu::pooled_gradient<A>(dy.data + p * dy.pixels, rows, columns, h, w));
  });
}

}  // namespace hone::inline HONE_ABI

#include <hone/core/macros_pop.hpp>
