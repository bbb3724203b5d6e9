// SPDX-License-Identifier: MIT
/// Tiles: a stretch of the pixels of one image, with all its channels. The sweeps over a tile visit channel after
/// channel and keep what belongs to a pixel in strips of packs.
#pragma once

#include <hone/core/view.hpp>
#include <hone/cpu/run/backend.hpp>
#include <hone/cpu/structure/plane_runs.hpp>

#include <algorithm>
#include <limits>

#include <hone/core/macros_push.hpp>

namespace hone::inline HONE_ABI::on_cpu {

/// Divides the pixels of every image into tiles, by the shape alone.
struct pixel_cut {
  index images, channels, pixels, tiles, per_tile;

  template <class T>
  explicit pixel_cut(image_view<T> v) noexcept : images(v.images), channels(v.channels), pixels(v.pixels) {
    const index longest = std::clamp<index>(131072 / std::max<index>(channels, 1), 256, 1024);
    tiles = (pixels + longest - 1) / longest;
    per_tile = tiles == 0 ? 0 : ((pixels + tiles - 1) / tiles + 15) / 16 * 16;
  }
};

/// The packs of n pixels: pack k begins at place(k), and the last one ends with the pixels, so it overlaps the pack
/// before it. A strip has one slot for each of them, so that its sums are right where packs overlap. Few: n is less
/// than a pack.
template <class A, bool Few>
struct tile_packs {
  static constexpr index lanes = pack<A>::size;
  index n;

  index slots() const noexcept { return Few ? 1 : (n + lanes - 1) / lanes; }
  index place(index k) const noexcept { return Few ? 0 : std::min(k * lanes, n - lanes); }

  template <class T>
  HONE_INLINE pack<A> load(T const* p, index k) const noexcept {
    if constexpr (Few) {
      const padded_numbers<A, T> all(p, n);
      return load_as<A>(all.at);
    } else {
      return load_as<A>(p + place(k));
    }
  }
  template <class T>
  HONE_INLINE void store(pack<A> x, T* p, index k) const noexcept {
    if constexpr (Few) {
      T to[std::size_t(lanes)];
      store_narrowed(x, to);
      std::copy_n(to, n, p);
    } else {
      store_narrowed(x, p + place(k));
    }
  }
  static pack<A> slot(A const* strip, index k) noexcept { return pack<A>::load(strip + k * lanes); }
};

/// The numbers of a strip for any tile.
template <class A>
std::size_t strip_numbers(pixel_cut const& cut) noexcept {
  return std::size_t(cut.per_tile + 2 * pack<A>::size);
}

/// Calls body(image, at, packs, memory) for the tiles of images [begin, end).
template <class A, class Body>
void for_tiles(cpu const& backend, pixel_cut const& cut, index begin, index end, std::size_t bytes, Body const& body) {
  for_chunks(backend, (end - begin) * cut.tiles, bytes, [&](index chunk, std::byte* memory) {
    const index image = begin + chunk / cut.tiles, at = chunk % cut.tiles * cut.per_tile,
                n = std::min(cut.per_tile, cut.pixels - at);
    if (n >= pack<A>::size)
      body(image, at, tile_packs<A, false>{n}, memory);
    else if (n > 0)
      body(image, at, tile_packs<A, true>{n}, memory);
  });
}

/// The factors of the channels of an image: none, which are 1.
template <class A>
struct no_factors {
  A const* operator()(index, arena&) const noexcept { return nullptr; }
};

/// The sums, the maxima, and the numbers of the first channels that have them, of z = x times the factor of its channel
/// (1 if there are none). NaN is the maximum of what has a NaN.
template <class A>
struct reduced_strips {
  A *sum, *largest, *first;
};
template <class A, class T, bool Few>
void reduce_tile(tile_packs<A, Few> packs, T const* x, index channels, index pixels, A const* factors,
                 reduced_strips<A> const& to) noexcept {
  using V = pack<A>;
  constexpr index W = V::size;
  const index slots = packs.slots();
  std::fill_n(to.sum, slots * W, A(0));
  std::fill_n(to.largest, slots * W, -std::numeric_limits<A>::infinity());
  std::fill_n(to.first, slots * W, A(0));
  const auto sweep = [&]<int Together>(std::integral_constant<int, Together>, index c) HONE_INLINE_LAMBDA {
    V by[std::size_t(Together)], number[std::size_t(Together)];
    for (int i = 0; i < Together; ++i) by[i] = V(factors ? factors[c + i] : A(1)), number[i] = V(A(c + i));
    for (index k = 0; k < slots; ++k) {
      V sum(0), largest = packs.slot(to.largest, k), first = packs.slot(to.first, k);
      for (int i = 0; i < Together; ++i) {
        const V z = rounded(packs.load(x + (c + i) * pixels, k) * by[i]);
        const auto below = z <= largest, known = largest == exact(largest);  // false if NaN
        first = select(known, select(below, first, number[i]), first);
        largest = select(known, select(below, largest, z), largest);
        sum += z;
      }
      (packs.slot(to.sum, k) + sum).store(to.sum + k * W);
      largest.store(to.largest + k * W);
      first.store(to.first + k * W);
    }
  };
  index c = 0;
  for (; c + 4 <= channels; c += 4) sweep(std::integral_constant<int, 4>(), c);
  for (; c < channels; ++c) sweep(std::integral_constant<int, 1>(), c);
}

/// y = f(x s t + residual) for one channel of a tile: s is the factor of the channel, t those of the pixels.
template <bool Residual, class A, class T, class F, bool Few>
void scale_tile(F f, tile_packs<A, Few> packs, T const* x, T const* residual, T* y, A s, A const* t) noexcept {
  using V = pack<A>;
  const V by(s);
  const index last = packs.slots() - 1;
  const auto at = [&](index k) HONE_INLINE_LAMBDA {
    const V z = packs.load(x, k) * by;
    if constexpr (Residual)
      return f(fma(z, packs.slot(t, k), packs.load(residual, k))).value;
    else
      return f(z * packs.slot(t, k)).value;
  };
  const V end = at(last);  // first, so that a tile may be done in place
  for (index k = 0; k < last; ++k) packs.store(at(k), y, k);
  packs.store(end, y, last);
}

/// Strips of a backward sweep: t, what is added to dx in every channel, what is added in the channel `first`, and the
/// sums that the sweep makes.
template <class A>
struct backward_strips {
  A *t, *each, *at_first, *first, *sums;
};

/// With z = x s and g = dy f'(z t + residual), for one channel of a tile: dresidual = g, dx = g t + each, + at_first
/// where the channel is the first, and sums += z g. A derivative of 0 makes g 0, whatever dy is.
template <bool Residual, class A, class T, class F, bool Few>
void scale_tile_backward(F f, tile_packs<A, Few> packs, backward_run<T> const& run, A s, A channel,
                         backward_strips<A> const& strips) noexcept {
  using V = pack<A>;
  constexpr bool identity = std::same_as<F, identity_formula>;
  const V by(s), number(channel);
  const index last = packs.slots() - 1;
  struct result {
    V dx, g;
  };
  const auto at = [&](index k) HONE_INLINE_LAMBDA {
    const V z = packs.load(run.x, k) * by, t = packs.slot(strips.t, k);
    V g = packs.load(run.dy, k);
    if constexpr (!identity) {
      V u = z * t;
      if constexpr (Residual) u = fma(z, t, packs.load(run.residual, k));
      g = gradient_through(f, u, g);
    }
    fma(z, g, packs.slot(strips.sums, k)).store(strips.sums + k * V::size);
    const V added =
        packs.slot(strips.each, k) + keep(packs.slot(strips.first, k) == number, packs.slot(strips.at_first, k));
    return result{fma(g, t, added), g};
  };
  const result end = at(last);
  for (index k = 0; k < last; ++k) {
    const result r = at(k);
    packs.store(r.dx, run.dx, k);
    packs.store(r.g, run.dresidual, k);
  }
  packs.store(end.dx, run.dx, last);
  packs.store(end.g, run.dresidual, last);
}

}  // namespace hone::inline HONE_ABI::on_cpu

#include <hone/core/macros_pop.hpp>
