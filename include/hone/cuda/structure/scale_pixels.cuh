// SPDX-License-Identifier: MIT
/// Pixel scale on CUDA: forward and backward, one kernel each.
#pragma once

#include <hone/core/narrowed.hpp>
#include <hone/cuda/run/backend.cuh>
#include <hone/cuda/simd/device_float.cuh>
#include <hone/cuda/structure/pixel_threads.cuh>
#include <hone/structure/pixel_scale.hpp>
#include <hone/structure/plane_gate.hpp>

#include <type_traits>

#include <hone/core/macros_push.hpp>

namespace hone::inline HONE_ABI {
namespace on_cuda {

template <class Gate, class F, class T>
__global__ void __launch_bounds__(block_threads, 1)
    scale_pixels_kernel(Gate const gate, F const f, T const* const x, matrix_view<const accumulator_t<T>> const e,
                        T const* const residual, T* const y, pixel_places const places) {
  using A = accumulator_t<T>;
  using V = operand_of<A>;
  for (index k = pixel_places::first(); k < places.count(); k += pixel_places::step()) {
    const pixel_place at(places, k);
    const V s = gate(V(e.row(at.image)[at.pixel])).value;
    for (index c = 0; c < places.channels; ++c) {
      const index i = at.begin + c * places.pixels.by;
      V u = V(static_cast<A>(x[i])) * s;
      if (residual) u = u + V(static_cast<A>(residual[i]));
      y[i] = detail::narrowed<T>(static_cast<A>(f(u).value));
    }
  }
}

/// The arguments of the backward kernel; dx, de, dresidual and dreduced may be null.
template <class T>
struct pixel_scale_backward {
  using A = accumulator_t<T>;

  pixel_places places;
  T const* x;
  matrix_view<const A> e;
  T const *dy, *residual;
  T *dx, *dresidual;
  matrix_view<A> de;
  A const* dreduced;
  matrix_view<const A> first;
};

template <class Gate, class F, class T>
__global__ void __launch_bounds__(block_threads, 1)
    scale_pixels_backward_kernel(Gate const gate, F const f, pixel_scale_backward<T> const all) {
  using A = accumulator_t<T>;
  using V = operand_of<A>;
  const index pixels = all.places.pixels.by;
  for (index k = pixel_places::first(); k < all.places.count(); k += pixel_places::step()) {
    const pixel_place at(all.places, k);
    const value_grad<V> s = gate(V(all.e.row(at.image)[at.pixel]));
    V each(0), largest(0), products(0);
    A which(-1);
    if (all.dreduced) {
      A const* const reduced = all.dreduced + 2 * at.image * pixels + at.pixel;
      each = V(reduced[0]) / V(static_cast<A>(all.places.channels));
      largest = V(reduced[pixels]);
      which = all.first.row(at.image)[at.pixel];
    }
    for (index c = 0; c < all.places.channels; ++c) {
      const index i = at.begin + c * pixels;
      const V x(static_cast<A>(all.x[i]));
      V g(static_cast<A>(all.dy[i]));
      if constexpr (!std::is_same_v<F, identity_formula>) {
        V u = x * s.value;
        if (all.residual) u = u + V(static_cast<A>(all.residual[i]));
        g = gradient_through(f, u, g);
      }
      const V added = static_cast<A>(c) == which ? each + largest : each;
      if (all.dx) all.dx[i] = detail::narrowed<T>(static_cast<A>(g * s.value + added));
      if (all.dresidual) all.dresidual[i] = detail::narrowed<T>(static_cast<A>(g));
      products = products + x * g;
    }
    if (all.de.data) all.de.row(at.image)[at.pixel] = static_cast<A>(zero_where(s.grad == V(0), products * s.grad));
  }
}

}  // namespace on_cuda

/// Enqueues hone::scale_pixels, as documented for the CPU, as one kernel. All views are of device memory.
template <class Gate, class T>
void scale_pixels(cuda& backend, Gate gate, std::type_identity_t<image_view<const T>> x,
                  std::type_identity_t<matrix_view<const accumulator_t<T>>> e, image_view<T> y,
                  std::type_identity_t<plane_scale_options<T>> const& options = {}) {
  static_assert(plane_gate<Gate>, "scale_pixels: the gate must be one of hone's, or return a value_grad of its number");
  static_assert(!std::is_const_v<T>, "scale_pixels: y is written, its type is const");
  static_assert(element<T>, "scale_pixels: y must be of float, double or a 16-bit type");
  detail::require_scale_pixels("scale_pixels", x, e, y, options);
  if (x.images * x.channels * x.pixels == 0) return;
  const on_cuda::device_of_stream device(backend.placed());
  detail::with_formula(options.activation, [&]<class F>(F f) {
    on_cuda::launch_pixels("scale_pixels: scale_pixels_kernel", on_cuda::scale_pixels_kernel<Gate, F, T>, x,
                           backend.stream(), gate, f, x.data, e, options.residual.data, y.data,
                           on_cuda::pixel_places(x));
  });
}

/// Enqueues hone::scale_pixels_backward, as documented for the CPU, as one kernel. The same bits in every run.
template <class Gate, class T>
void scale_pixels_backward(cuda& backend, Gate gate, std::type_identity_t<image_view<const T>> x,
                           std::type_identity_t<matrix_view<const accumulator_t<T>>> e,
                           std::type_identity_t<image_view<const T>> dy, image_view<T> dx,
                           std::type_identity_t<matrix_view<accumulator_t<T>>> de,
                           std::type_identity_t<pixel_scale_backward_options<T>> const& options = {}) {
  static_assert(plane_gate<Gate>,
                "scale_pixels_backward: the gate must be one of hone's, or return a value_grad of its number");
  static_assert(!std::is_const_v<T>, "scale_pixels_backward: dx is written, its type is const");
  static_assert(element<T>, "scale_pixels_backward: dx must be of float, double or a 16-bit type");
  detail::require_scale_pixels_backward("scale_pixels_backward", x, e, dy, dx, de, options);
  if (x.images * x.pixels == 0) return;
  const on_cuda::device_of_stream device(backend.placed());
  const on_cuda::pixel_scale_backward<T> all{
      on_cuda::pixel_places(x), x.data,       e, dy.data, options.residual.data, dx.data, options.dresidual.data, de,
      options.dreduced.data,    options.first};
  detail::with_formula(options.activation, [&]<class F>(F f) {
    on_cuda::launch_pixels("scale_pixels_backward: scale_pixels_backward_kernel",
                           on_cuda::scale_pixels_backward_kernel<Gate, F, T>, x, backend.stream(), gate, f, all);
  });
}

}  // namespace hone::inline HONE_ABI

#include <hone/core/macros_pop.hpp>
