// SPDX-License-Identifier: MIT
/// Plane scale on the CPU: forward and backward, each in one sweep.
#pragma once

#include <hone/cpu/structure/plane_cut.hpp>
#include <hone/cpu/structure/plane_runs.hpp>
#include <hone/structure/plane_gate.hpp>
#include <hone/structure/plane_scale.hpp>

#include <type_traits>

#include <hone/core/macros_push.hpp>

namespace hone::inline HONE_ABI {
namespace on_cpu {

/// The factors of a chunk's planes and the derivatives of their gates, in strips of whole packs.
template <class A>
struct plane_factors {
  A *s, *slope;

  static std::size_t bytes(index planes) { return 2 * arena::room_for<A>(std::size_t(planes + pack<A>::size)); }

  template <class Gate>
  plane_factors(Gate gate, matrix_view<const A> e, index begin, index end, arena& memory) noexcept
      : s(memory.take<A>(std::size_t(end - begin + pack<A>::size))),
        slope(memory.take<A>(std::size_t(end - begin + pack<A>::size))) {
    gather_planes(e, begin, end, s);
    std::fill_n(s + (end - begin), pack<A>::size, A(0));
    for (index i = 0; i < end - begin; i += pack<A>::size) {
      const value_grad<pack<A>> at = gate(pack<A>::load(s + i));
      at.value.store(s + i);
      at.grad.store(slope + i);
    }
  }
};

/// Scales the planes of images [begin, end).
template <class T, class Gate>
void scale_images(cpu const& backend, Gate gate, image_view<const T> x, matrix_view<const accumulator_t<T>> e,
                  image_view<T> y, plane_scale_options<T> const& options, bool past_caches, index begin, index end) {
  using A = accumulator_t<T>;
  const plane_cut cut(x, begin, end, past_caches);
  T const* const residual = options.residual.data;
  const std::size_t bytes = plane_factors<A>::bytes(cut.per_chunk) + arena::room_for<T>(run_numbers);
  const auto sweep = [&]<bool Residual>(std::bool_constant<Residual>, auto f) {
    for_planes(backend, cut, bytes, [&](index from, index to, std::byte* memory) {
      arena pieces(memory);
      plane_output<T> output(y, past_caches, pieces.take<T>(run_numbers));
      const plane_factors<A> factors(gate, e, from, to, pieces);
      for (index p = from; p < to; ++p)
        for_runs(p, x.pixels, [&](index at, index n) {
          scale_run<Residual>(f, x.data + at, Residual ? residual + at : nullptr, output.room(at, n), n,
                              factors.s[p - from], A(0));
        });
      output.flush();
    });
  };
  detail::with_formula(options.activation,
                       [&](auto f) { residual ? sweep(std::true_type(), f) : sweep(std::false_type(), f); });
}

/// The backward sweep over images [begin, end): dx, dresidual and de are each optional.
template <class T>
struct scale_backward {
  using A = accumulator_t<T>;

  image_view<const T> x;
  matrix_view<const A> e;
  image_view<const T> dy;
  image_view<T> dx;
  matrix_view<A> de;
  plane_scale_backward_options<T> options;
  bool stream_dx, stream_dresidual;

  A added_to(index plane) const noexcept {
    return options.added.data ? options.added.row(plane / x.channels)[plane % x.channels] : A(0);
  }

  template <class Gate>
  void run(cpu const& backend, Gate gate, index begin, index end) const {
    if (options.activation == no_activation && !de.data && !options.dresidual.data)
      return run_without_x(backend, gate, begin, end);
    detail::with_formula(options.activation, [&](auto f) {
      if constexpr (!std::same_as<decltype(f), identity_formula>)
        if (options.residual.data) return sweep<true>(backend, gate, f, begin, end);
      sweep<false>(backend, gate, f, begin, end);
    });
  }

 private:
  /// dx = dy s + added.
  template <class Gate>
  void run_without_x(cpu const& backend, Gate gate, index begin, index end) const {
    if (!dx.data) return;
    const plane_cut cut(x, begin, end, stream_dx);
    const std::size_t bytes = plane_factors<A>::bytes(cut.per_chunk) + arena::room_for<T>(run_numbers);
    for_planes(backend, cut, bytes, [&](index from, index to, std::byte* memory) {
      arena pieces(memory);
      plane_output<T> output(dx, stream_dx, pieces.take<T>(run_numbers));
      const plane_factors<A> factors(gate, e, from, to, pieces);
      for (index p = from; p < to; ++p)
        for_runs(p, x.pixels, [&](index at, index n) {
          scale_run<false>(identity_formula(), dy.data + at, static_cast<T const*>(nullptr), output.room(at, n), n,
                           factors.s[p - from], added_to(p));
        });
      output.flush();
    });
  }

  template <bool Residual, class Gate, class F>
  void sweep(cpu const& backend, Gate gate, F f, index begin, index end) const {
    const plane_cut cut(x, begin, end, stream_dx || stream_dresidual);
    const std::size_t bytes = plane_factors<A>::bytes(cut.per_chunk) + 2 * arena::room_for<T>(run_numbers);
    for_planes(backend, cut, bytes, [&](index from, index to, std::byte* memory) {
      arena pieces(memory);
      plane_output<T> of_x(dx, stream_dx, pieces.take<T>(run_numbers));
      plane_output<T> of_residual(options.dresidual, stream_dresidual, pieces.take<T>(run_numbers));
      const plane_factors<A> factors(gate, e, from, to, pieces);
      for (index p = from; p < to; ++p) {
        const A s = factors.s[p - from], added = added_to(p);
        double products = 0;
        for_runs(p, x.pixels, [&](index at, index n) {
          const backward_run<T> one{x.data + at, Residual ? options.residual.data + at : nullptr, dy.data + at,
                                    of_x.room(at, n), of_residual.room(at, n)};
          products += static_cast<double>(sum(scale_run_backward<Residual>(f, one, n, s, added)));
        });
        A& slope = factors.slope[p - from];
        slope = slope == A(0) ? A(0) : detail::narrowed<A>(products * static_cast<double>(slope));
      }
      of_x.flush();
      of_residual.flush();
      if (de.data) scatter_planes(static_cast<A const*>(factors.slope), de, from, to);
    });
  }
};

}  // namespace on_cpu

/// Writes y = f(x s + residual) for planes with one number e each, images x channels, float for 16-bit images. The gate
/// makes s of e (identity_gate, sigmoid_gate, hard_sigmoid_gate); f is the activation:
///
///     hone::scale_planes(cpu, hone::sigmoid_gate, x, e, y, {.residual = shortcut, .activation = hone::relu})
///
/// Every number is read once and written once. y may be x or the residual; but the backward pass reads both. NaN stays
/// NaN. Throws hone::invalid_argument, and writes nothing, if a shape does not fit or memory overlaps otherwise.
template <class Gate, class T>
void scale_planes(cpu const& backend, Gate gate, std::type_identity_t<image_view<const T>> x,
                  std::type_identity_t<matrix_view<const accumulator_t<T>>> e, image_view<T> y,
                  std::type_identity_t<plane_scale_options<T>> const& options = {}) {
  static_assert(plane_gate<Gate>, "scale_planes: the gate must be one of hone's, or return a value_grad of its number");
  static_assert(!std::is_const_v<T>, "scale_planes: y is written, its type is const");
  static_assert(element<T>, "scale_planes: y must be of float, double or a 16-bit type");
  detail::require_scale_planes("scale_planes", x, e, y, options);
  if (x.images * x.channels * x.pixels == 0) return;
  on_cpu::scale_images(backend, gate, x, e, y, options, on_cpu::passes_caches(y, {x.data, options.residual.data}), 0,
                       x.images);
}

/// Writes the gradients of scale_planes in one sweep: with g = dy f'(x s + residual) and the derivative s' of the gate,
/// dx = g s + added, de = s' Σ x g per plane, and options.dresidual = g. dx, de and dresidual may each be {}; dx and
/// dresidual may each be x, dy or the residual. A derivative of 0 gives a gradient of 0, whatever dy is. Sums are added
/// in a fixed order. Throws hone::invalid_argument, and writes nothing, if a shape does not fit or memory overlaps
/// otherwise.
template <class Gate, class T>
void scale_planes_backward(cpu const& backend, Gate gate, std::type_identity_t<image_view<const T>> x,
                           std::type_identity_t<matrix_view<const accumulator_t<T>>> e,
                           std::type_identity_t<image_view<const T>> dy, image_view<T> dx,
                           std::type_identity_t<matrix_view<accumulator_t<T>>> de,
                           std::type_identity_t<plane_scale_backward_options<T>> const& options = {}) {
  static_assert(plane_gate<Gate>,
                "scale_planes_backward: the gate must be one of hone's, or return a value_grad of its number");
  static_assert(!std::is_const_v<T>, "scale_planes_backward: dx is written, its type is const");
  static_assert(element<T>, "scale_planes_backward: dx must be of float, double or a 16-bit type");
  detail::require_scale_planes_backward("scale_planes_backward", x, e, dy, dx, de, options);
  const std::initializer_list<void const*> inputs = {x.data, dy.data, options.residual.data};
  const on_cpu::scale_backward<T> all{
      x, e, dy, dx, de, options, on_cpu::passes_caches(dx, inputs), on_cpu::passes_caches(options.dresidual, inputs)};
  all.run(backend, gate, 0, x.images);
}

}  // namespace hone::inline HONE_ABI

#include <hone/core/macros_pop.hpp>
