// SPDX-License-Identifier: MIT
/// Plane scale on CUDA: forward and backward, one kernel each.
#pragma once

#include <hone/core/narrowed.hpp>
#include <hone/cuda/run/backend.cuh>
#include <hone/cuda/simd/device_float.cuh>
#include <hone/cuda/structure/plane_team.cuh>
#include <hone/structure/plane_gate.hpp>
#include <hone/structure/plane_scale.hpp>

#include <type_traits>

#include <hone/core/macros_push.hpp>

namespace hone::inline HONE_ABI {
namespace on_cuda {

template <int Size, class Gate, class F, class T>
__global__ void __launch_bounds__(block_threads, 1)
    scale_planes_kernel(Gate const gate, F const f, image_view<const T> const x,
                        matrix_view<const accumulator_t<T>> const e, T const* const residual, T* const y,
                        divider const channels, bool const wide) {
  using team = plane_team<Size>;
  using A = accumulator_t<T>;
  using V = operand_of<A>;
  for (index p = team::first(); p < x.images * x.channels; p += team::step()) {
    const V s = gate(V(number_for_warp(e, channels, p))).value;
    const index from = p * x.pixels;
    each_run<team, wide_of<T>>(wide, x.pixels, [&](auto width, index i) {
      constexpr int N = decltype(width)::value;
      A at[N], more[N];
      load<A>(x.data + from + i, at, N);
      if (residual) load<A>(residual + from + i, more, N);
#pragma unroll
      for (int j = 0; j < N; ++j) {
        V u = V(at[j]) * s;
        if (residual) u = u + V(more[j]);
        at[j] = static_cast<A>(f(u).value);
      }
      store_run(at, y + from + i);
    });
  }
}

/// The arguments of the backward kernel; dx, de, dresidual and added may be null.
template <class T>
struct scale_backward {
  using A = accumulator_t<T>;

  image_view<const T> x;
  matrix_view<const A> e;
  T const *dy, *residual;
  T *dx, *dresidual;
  matrix_view<A> de;
  matrix_view<const A> added;
  divider channels;

  bool is_wide() const noexcept { return planes_are_wide(x.pixels, x.data, dy, residual, dx, dresidual); }
};

template <int Size, class Gate, class F, class T>
__global__ void __launch_bounds__(block_threads, 1)
    scale_planes_backward_kernel(Gate const gate, F const f, scale_backward<T> const all, bool const wide) {
  using team = plane_team<Size>;
  using A = accumulator_t<T>;
  using V = operand_of<A>;
  const index pixels = all.x.pixels;
  const bool needs_x = !std::is_same_v<F, identity_formula> || all.de.data;
  for (index p = team::first(); p < all.x.images * all.x.channels; p += team::step()) {
    const value_grad<V> s = gate(V(number_for_warp(all.e, all.channels, p)));
    const V plus(all.added.data ? number_for_warp(all.added, all.channels, p) : A(0));
    V products(0);
    const index from = p * pixels;
    each_run<team, wide_of<T>>(wide, pixels, [&](auto width, index i) {
      constexpr int N = decltype(width)::value;
      A x[N] = {}, more[N] = {}, g[N], dx[N];
      if (needs_x) load<A>(all.x.data + from + i, x, N);
      load<A>(all.dy + from + i, g, N);
      if (!std::is_same_v<F, identity_formula> && all.residual) load<A>(all.residual + from + i, more, N);
#pragma unroll
      for (int j = 0; j < N; ++j) {
        V by_u(g[j]);
        if constexpr (!std::is_same_v<F, identity_formula>) {
          V u = V(x[j]) * s.value;
          if (all.residual) u = u + V(more[j]);
          by_u = gradient_through(f, u, by_u);
        }
        dx[j] = static_cast<A>(by_u * s.value + plus);
        g[j] = static_cast<A>(by_u);
        products = products + V(x[j]) * by_u;
      }
      if (all.dx) store_run(dx, all.dx + from + i);
      if (all.dresidual) store_run(g, all.dresidual + from + i);
    });
    if (!all.de.data) continue;
    const double sum = team::joined(joins_sums(), static_cast<double>(products));
    const auto slope = static_cast<double>(s.grad);
    if (team::rank() == 0)
      number_of_plane(all.de, all.channels, p) = slope == 0 ? A(0) : detail::narrowed<A>(sum * slope);
  }
}

/// Enqueue the sweeps; the caller has checked the arguments and made the device current.
template <class T, class Gate>
void enqueue_scale_planes(cudaStream_t stream, const char* name, Gate gate, image_view<const T> x,
                          matrix_view<const accumulator_t<T>> e, image_view<T> y,
                          plane_scale_options<T> const& options) {
  const index planes = x.images * x.channels;
  if (planes * x.pixels == 0) return;
  detail::with_formula(options.activation, [&]<class F>(F f) {
    launch_planes(name, scale_planes_kernel<32, Gate, F, T>, scale_planes_kernel<block_threads, Gate, F, T>, planes,
                  x.pixels, stream, gate, f, x, e, options.residual.data, y.data, divider(x.channels),
                  planes_are_wide(x.pixels, x.data, options.residual.data, y.data));
  });
}
template <class T, class Gate>
void enqueue_scale_planes_backward(cudaStream_t stream, const char* name, Gate gate, activation_function activation,
                                   scale_backward<T> const& all) {
  const index planes = all.x.images * all.x.channels;
  if (planes == 0) return;
  detail::with_formula(activation, [&]<class F>(F f) {
    launch_planes(name, scale_planes_backward_kernel<32, Gate, F, T>,
                  scale_planes_backward_kernel<block_threads, Gate, F, T>, planes, all.x.pixels, stream, gate, f, all,
                  all.is_wide());
  });
}

}  // namespace on_cuda

/// Enqueues hone::scale_planes, as documented for the CPU, as one kernel. All views are of device memory.
template <class Gate, class T>
void scale_planes(cuda& backend, Gate gate, std::type_identity_t<image_view<const T>> x,
                  std::type_identity_t<matrix_view<const accumulator_t<T>>> e, image_view<T> y,
                  std::type_identity_t<plane_scale_options<T>> const& options = {}) {
  static_assert(plane_gate<Gate>, "scale_planes: the gate must be one of hone's, or return a value_grad of its number");
  static_assert(!std::is_const_v<T>, "scale_planes: y is written, its type is const");
  static_assert(element<T>, "scale_planes: y must be of float, double or a 16-bit type");
  detail::require_scale_planes("scale_planes", x, e, y, options);
  const on_cuda::device_of_stream device(backend.placed());
  on_cuda::enqueue_scale_planes<T>(backend.stream(), "scale_planes: scale_planes_kernel", gate, x, e, y, options);
}

/// Enqueues hone::scale_planes_backward, as documented for the CPU, as one kernel. The same bits in every run.
template <class Gate, class T>
void scale_planes_backward(cuda& backend, Gate gate, std::type_identity_t<image_view<const T>> x,
                           std::type_identity_t<matrix_view<const accumulator_t<T>>> e,
                           std::type_identity_t<image_view<const T>> dy, image_view<T> dx,
                           std::type_identity_t<matrix_view<accumulator_t<T>>> de,
                           std::type_identity_t<plane_scale_backward_options<T>> const& options = {}) {
  static_assert(plane_gate<Gate>,
                "scale_planes_backward: the gate must be one of hone's, or return a value_grad of its number");
  static_assert(!std::is_const_v<T>, "scale_planes_backward: dx is written, its type is const");
  static_assert(element<T>, "scale_planes_backward: dx must be of float, double or a 16-bit type");
  detail::require_scale_planes_backward("scale_planes_backward", x, e, dy, dx, de, options);
  const on_cuda::device_of_stream device(backend.placed());
  const on_cuda::scale_backward<T> all{x,
                                       e,
                                       dy.data,
                                       options.residual.data,
                                       dx.data,
                                       options.dresidual.data,
                                       de,
                                       options.added,
                                       on_cuda::divider(x.channels)};
  on_cuda::enqueue_scale_planes_backward<T>(backend.stream(), "scale_planes_backward: scale_planes_backward_kernel",
                                            gate, options.activation, all);
}

}  // namespace hone::inline HONE_ABI

#include <hone/core/macros_pop.hpp>
