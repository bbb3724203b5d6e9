// SPDX-License-Identifier: MIT
/// Pixel scale on the CPU: forward and backward, each in one sweep.
#pragma once

#include <hone/cpu/structure/pixel_tiles.hpp>
#include <hone/cpu/structure/plane_cut.hpp>
#include <hone/structure/pixel_scale.hpp>
#include <hone/structure/plane_gate.hpp>

#include <algorithm>
#include <type_traits>

#include <hone/core/macros_push.hpp>

namespace hone::inline HONE_ABI {
namespace on_cpu {

/// Writes the factors of a tile's pixels, and the derivatives of their gates unless slope is null.
template <class Gate, class A, bool Few>
void gate_tile(Gate gate, tile_packs<A, Few> packs, A const* e, A* t, A* slope) noexcept {
  for (index k = 0; k < packs.slots(); ++k) {
    const value_grad<pack<A>> at = gate(packs.load(e, k));
    at.value.store(t + k * pack<A>::size);
    if (slope) at.grad.store(slope + k * pack<A>::size);
  }
}

/// Where a tile writes an image, channel after channel: to its memory, by way of a strip if its stores pass the caches,
/// or to a strip that nothing reads, if the output is not wanted.
template <class T>
struct tile_output {
  T *to, *strip;
  bool past_caches;

  T* room(index at) const noexcept { return to && !past_caches ? to + at : strip; }
  void done(index at, index n) const noexcept {
    if (to && past_caches) stream_copy(static_cast<T const*>(strip), to + at, n);
  }
};

/// Scales the tiles of images [begin, end); `factors` as reduce_pixel_tiles takes them.
template <class T, class Gate, class Factors>
void scale_pixel_tiles(cpu const& backend, Gate gate, image_view<const T> x, matrix_view<const accumulator_t<T>> e,
                       image_view<T> y, plane_scale_options<T> const& options, bool past_caches, index begin, index end,
                       std::size_t room, Factors const& factors) {
  using A = accumulator_t<T>;
  const pixel_cut cut(x);
  T const* const residual = options.residual.data;
  const std::size_t strip = strip_numbers<A>(cut);
  const auto sweep = [&]<bool Residual>(std::bool_constant<Residual>, auto f) {
    for_tiles<A>(backend, cut, begin, end, room + arena::room_for<A>(strip) + arena::room_for<T>(strip),
                 [&](index image, index at, auto packs, std::byte* memory) {
                   arena pieces(memory);
                   A* const t = pieces.take<A>(strip);
                   const tile_output<T> output{y.data, pieces.take<T>(strip), past_caches};
                   A const* const s = factors(image, pieces);
                   gate_tile(gate, packs, e.row(image) + at, t, static_cast<A*>(nullptr));
                   for (index c = 0; c < x.channels; ++c) {
                     const index i = (image * x.channels + c) * x.pixels + at;
                     scale_tile<Residual>(f, packs, x.data + i, Residual ? residual + i : nullptr, output.room(i),
                                          s ? s[c] : A(1), t);
                     output.done(i, packs.n);
                   }
                   stream_fence();
                 });
  };
  detail::with_formula(options.activation,
                       [&](auto f) { residual ? sweep(std::true_type(), f) : sweep(std::false_type(), f); });
}

/// The backward sweep over the tiles of images [begin, end): dx, dresidual and de are each optional. If it is wanted, t
/// receives the factors of the pixels. `factors` as above.
template <class T>
struct scale_pixels_back {
  using A = accumulator_t<T>;

  image_view<const T> x;
  matrix_view<const A> e;
  image_view<const T> dy;
  image_view<T> dx;
  matrix_view<A> de, t;
  pixel_scale_backward_options<T> options;
  bool stream_dx, stream_dresidual;

  template <class Gate, class Factors>
  void run(cpu const& backend, Gate gate, index begin, index end, std::size_t room, Factors const& factors) const {
    detail::with_formula(options.activation, [&](auto f) {
      if constexpr (!std::same_as<decltype(f), identity_formula>)
        if (options.residual.data) return sweep<true>(backend, gate, f, begin, end, room, factors);
      sweep<false>(backend, gate, f, begin, end, room, factors);
    });
  }

 private:
  /// The strips of a tile before the sweep.
  template <class Gate, bool Few>
  void begin_tile(Gate gate, tile_packs<A, Few> packs, index image, index at, A* slope,
                  backward_strips<A> const& strips) const noexcept {
    const index all = packs.slots() * pack<A>::size;
    gate_tile(gate, packs, e.row(image) + at, strips.t, slope);
    std::fill_n(strips.sums, all, A(0));
    if (!options.dreduced.data) {
      for (A* const strip : {strips.each, strips.at_first, strips.first}) std::fill_n(strip, all, A(0));
      return;
    }
    const pack<A> channels(static_cast<A>(x.channels));
    A const* const of_mean = options.dreduced.data + 2 * image * x.pixels + at;
    for (index k = 0; k < packs.slots(); ++k) {
      (packs.load(of_mean, k) / channels).store(strips.each + k * pack<A>::size);
      packs.load(of_mean + x.pixels, k).store(strips.at_first + k * pack<A>::size);
      packs.load(options.first.row(image) + at, k).store(strips.first + k * pack<A>::size);
    }
  }

  template <bool Residual, class Gate, class F, class Factors>
  void sweep(cpu const& backend, Gate gate, F f, index begin, index end, std::size_t room,
             Factors const& factors) const {
    const pixel_cut cut(x);
    const std::size_t strip = strip_numbers<A>(cut);
    const auto tile = [&](index image, index at, auto packs, std::byte* memory) {
      arena pieces(memory);
      backward_strips<A> strips{};
      for (A** const s : {&strips.t, &strips.each, &strips.at_first, &strips.first, &strips.sums})
        *s = pieces.take<A>(strip);
      A* const slope = pieces.take<A>(strip);
      const tile_output<T> of_x{dx.data, pieces.take<T>(strip), stream_dx};
      const tile_output<T> of_residual{options.dresidual.data, pieces.take<T>(strip), stream_dresidual};
      A const* const s = factors(image, pieces);
      begin_tile(gate, packs, image, at, slope, strips);
      for (index c = 0; c < x.channels; ++c) {
        const index i = (image * x.channels + c) * x.pixels + at;
        scale_tile_backward<Residual>(f, packs,
                                      backward_run<T>{x.data + i, Residual ? options.residual.data + i : nullptr,
                                                      dy.data + i, of_x.room(i), of_residual.room(i)},
                                      s ? s[c] : A(1), static_cast<A>(c), strips);
        of_x.done(i, packs.n);
        of_residual.done(i, packs.n);
      }
      for (index k = 0; k < packs.slots(); ++k) {
        const pack<A> by = packs.slot(slope, k);
        if (de.data) packs.store(zero_where(by == pack<A>(0), by * packs.slot(strips.sums, k)), de.row(image) + at, k);
        if (t.data) packs.store(packs.slot(strips.t, k), t.row(image) + at, k);
      }
      stream_fence();
    };
    for_tiles<A>(backend, cut, begin, end, room + 6 * arena::room_for<A>(strip) + 2 * arena::room_for<T>(strip), tile);
  }
};

}  // namespace on_cpu

/// Writes y = f(x s + residual) for pixels with one number e each, images x pixels, float for 16-bit images: all
/// channels of a pixel have its factor s. The gate makes s of e, f is the activation:
///
///     hone::scale_pixels(cpu, hone::sigmoid_gate, x, e, y, {.residual = shortcut, .activation = hone::relu})
///
/// Every number is read once and written once. y may be x or the residual; but the backward pass reads both. NaN stays
/// NaN. Throws hone::invalid_argument, and writes nothing, if a shape does not fit or memory overlaps otherwise.
template <class Gate, class T>
void scale_pixels(cpu const& backend, Gate gate, std::type_identity_t<image_view<const T>> x,
                  std::type_identity_t<matrix_view<const accumulator_t<T>>> e, image_view<T> y,
                  std::type_identity_t<plane_scale_options<T>> const& options = {}) {
  static_assert(plane_gate<Gate>, "scale_pixels: the gate must be one of hone's, or return a value_grad of its number");
  static_assert(!std::is_const_v<T>, "scale_pixels: y is written, its type is const");
  static_assert(element<T>, "scale_pixels: y must be of float, double or a 16-bit type");
  detail::require_scale_pixels("scale_pixels", x, e, y, options);
  on_cpu::scale_pixel_tiles<T>(backend, gate, x, e, y, options,
                               on_cpu::passes_caches(y, {x.data, options.residual.data}), 0, x.images, 0,
                               on_cpu::no_factors<accumulator_t<T>>());
}

/// Writes the gradients of scale_pixels in one sweep: with g = dy f'(x s + residual) and the derivative s' of the gate,
/// dx = g s, de = s' Σ x g over the channels of a pixel, and options.dresidual = g. dx, de and dresidual may each be
/// {}; dx and dresidual may each be x, dy or the residual, de may be e. With options.dreduced, dx also receives the
/// gradient of reduce_pixels of the same x. A derivative of 0 gives a gradient of 0, whatever dy is. Sums are added in
/// the order of the channels. Throws hone::invalid_argument, and writes nothing, if a shape does not fit or memory
/// overlaps otherwise.
template <class Gate, class T>
void scale_pixels_backward(cpu const& backend, Gate gate, std::type_identity_t<image_view<const T>> x,
                           std::type_identity_t<matrix_view<const accumulator_t<T>>> e,
                           std::type_identity_t<image_view<const T>> dy, image_view<T> dx,
                           std::type_identity_t<matrix_view<accumulator_t<T>>> de,
                           std::type_identity_t<pixel_scale_backward_options<T>> const& options = {}) {
  static_assert(plane_gate<Gate>,
                "scale_pixels_backward: the gate must be one of hone's, or return a value_grad of its number");
  static_assert(!std::is_const_v<T>, "scale_pixels_backward: dx is written, its type is const");
  static_assert(element<T>, "scale_pixels_backward: dx must be of float, double or a 16-bit type");
  detail::require_scale_pixels_backward("scale_pixels_backward", x, e, dy, dx, de, options);
  const std::initializer_list<void const*> inputs = {x.data, dy.data, options.residual.data};
  const on_cpu::scale_pixels_back<T> all{x,
                                         e,
                                         dy,
                                         dx,
                                         de,
                                         {},
                                         options,
                                         on_cpu::passes_caches(dx, inputs),
                                         on_cpu::passes_caches(options.dresidual, inputs)};
  all.run(backend, gate, 0, x.images, 0, on_cpu::no_factors<accumulator_t<T>>());
}

}  // namespace hone::inline HONE_ABI

#include <hone/core/macros_pop.hpp>
