// SPDX-License-Identifier: MIT
/// Pixel reductions on the CPU, and their gradients.
#pragma once

#include <hone/cpu/structure/pixel_tiles.hpp>
#include <hone/cpu/structure/plane_cut.hpp>
#include <hone/structure/pixel_reduction.hpp>

#include <algorithm>
#include <type_traits>

#include <hone/core/macros_push.hpp>

namespace hone::inline HONE_ABI {
namespace on_cpu {

/// Writes the means and maxima over the channels of images [begin, end), and the first channels if they are wanted.
/// factors(image, memory) returns a factor per channel, or null; it may use `room` bytes.
template <class T, class Factors>
void reduce_pixel_tiles(cpu const& backend, image_view<const T> x, image_view<accumulator_t<T>> out,
                        matrix_view<accumulator_t<T>> first, index begin, index end, std::size_t room,
                        Factors const& factors) {
  using A = accumulator_t<T>;
  const pixel_cut cut(x);
  const std::size_t strip = strip_numbers<A>(cut);
  const auto channels = static_cast<A>(x.channels);
  for_tiles<A>(backend, cut, begin, end, room + 3 * arena::room_for<A>(strip),
               [&](index image, index at, auto packs, std::byte* memory) {
                 arena pieces(memory);
                 reduced_strips<A> strips{};
                 strips.sum = pieces.take<A>(strip);
                 strips.largest = pieces.take<A>(strip);
                 strips.first = pieces.take<A>(strip);
                 reduce_tile(packs, x.data + image * x.channels * x.pixels + at, x.channels, x.pixels,
                             factors(image, pieces), strips);
                 A* const to = out.data + 2 * image * x.pixels + at;
                 for (index k = 0; k < packs.slots(); ++k) {
                   packs.store(packs.slot(strips.sum, k) / pack<A>(channels), to, k);
                   packs.store(packs.slot(strips.largest, k), to + x.pixels, k);
                   if (first.data) packs.store(packs.slot(strips.first, k), first.row(image) + at, k);
                 }
               });
}

}  // namespace on_cpu

/// Writes the mean and the maximum of the channels of every pixel to out, images x 2 x pixels, as
/// torch.cat([x.mean(1), x.amax(1)], 1) does; float for 16-bit images:
///
///     hone::reduce_pixels(cpu, x, reduced, first)
///
/// first, images x pixels, may be {}: it receives the number of the first channel that has the maximum, which the
/// backward pass needs. x is read once. NaN in a pixel gives NaN, and the first NaN is its maximum. Sums are added in
/// the order of the channels. Throws hone::invalid_argument, and writes nothing, if a shape does not fit, x has no
/// channels or more than 2^24, or memory overlaps.
template <class T>
void reduce_pixels(cpu const& backend, image_view<T> x, std::type_identity_t<image_view<accumulator_t<T>>> out,
                   std::type_identity_t<matrix_view<accumulator_t<T>>> first = {}) {
  using number = std::remove_const_t<T>;
  using A = accumulator_t<T>;
  static_assert(element<number>, "reduce_pixels: x must be of float, double or a 16-bit type");
  const image_view<const number> from = x;
  detail::require_reduce_pixels<number, A>(from, out, first);
  on_cpu::reduce_pixel_tiles<number>(backend, from, out, first, 0, from.images, 0, on_cpu::no_factors<A>());
}

/// Writes the gradient of reduce_pixels by x to dx: of a pixel's mean dout / channels in every channel, of its maximum
/// dout in the channel `first`, which reduce_pixels has written. x is not read. Throws hone::invalid_argument, and
/// writes nothing, if a shape does not fit or memory overlaps.
template <class T>
void reduce_pixels_backward(cpu const& backend, std::type_identity_t<image_view<const accumulator_t<T>>> dout,
                            std::type_identity_t<matrix_view<const accumulator_t<T>>> first, image_view<T> dx) {
  using A = accumulator_t<T>;
  using V = on_cpu::pack<A>;
  static_assert(!std::is_const_v<T>, "reduce_pixels_backward: dx is written, its type is const");
  static_assert(element<T>, "reduce_pixels_backward: dx must be of float, double or a 16-bit type");
  detail::require_reduce_pixels_backward<T, A>(dout, first, dx);
  const V channels(static_cast<A>(dx.channels));
  on_cpu::for_tiles<A>(backend, on_cpu::pixel_cut(dx), 0, dx.images, 0,
                       [&](index image, index at, auto packs, std::byte*) {
                         A const* const of_mean = dout.data + 2 * image * dx.pixels + at;
                         A const* const which = first.row(image) + at;
                         for (index c = 0; c < dx.channels; ++c) {
                           T* const to = dx.data + (image * dx.channels + c) * dx.pixels + at;
                           const V number(static_cast<A>(c));
                           for (index k = 0; k < packs.slots(); ++k)
                             packs.store(packs.load(of_mean, k) / channels +
                                             keep(packs.load(which, k) == number, packs.load(of_mean + dx.pixels, k)),
                                         to, k);
                         }
                       });
}

}  // namespace hone::inline HONE_ABI

#include <hone/core/macros_pop.hpp>
