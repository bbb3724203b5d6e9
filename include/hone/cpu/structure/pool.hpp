// SPDX-License-Identifier: MIT
/// The sweep of all pools of planes on the CPU, forward and backward.
#pragma once

#include <hone/core/narrowed.hpp>
#include <hone/cpu/memory/convert.hpp>
#include <hone/cpu/simd/math.hpp>
#include <hone/cpu/structure/plane_cut.hpp>
#include <hone/structure/pool.hpp>

#include <algorithm>

#include <hone/core/macros_push.hpp>

namespace hone::inline HONE_ABI::on_cpu {

/// to += weight · from, for n numbers.
template <class A, class T>
void add_weighted(T const* from, A weight, A* to, index n) noexcept {
  using V = pack<A>;
  const V by(weight);
  index i = 0;
  for (; i + V::size <= n; i += V::size) fma(load_as<A>(from + i), by, V::load(to + i)).store(to + i);
  for (; i < n; ++i) to[i] += static_cast<A>(from[i]) * weight;
}

/// Writes planes of the size `to` from planes of the size `from`. An axis calls body(place, weight) for the places of
/// `from` that a place of `to` reads. The rows of a window are added up in a strip first, then its columns.
template <class T, class Axis>
void pool_planes(cpu const& backend, image_view<const T> in, plane_size from, Axis const& rows, Axis const& columns,
                 image_view<T> out, plane_size to) {
  using A = accumulator_t<T>;
  for_planes(backend, plane_cut(out.pixels > in.pixels ? image_view<const T>(out) : in),
             arena::room_for<A>(std::size_t(from.width)), [&](index begin, index end, std::byte* memory) {
               A* const strip = reinterpret_cast<A*>(memory);
               for (index p = begin; p < end; ++p)
                 for (index i = 0; i < to.height; ++i) {
                   std::fill_n(strip, from.width, A(0));
                   rows.template each<A>(i, [&](index h, A weight) {
                     add_weighted(in.data + p * in.pixels + h * from.width, weight, strip, from.width);
                   });
                   T* const row = out.data + p * out.pixels + i * to.width;
                   for (index j = 0; j < to.width; ++j) {
                     A sum(0);
                     columns.template each<A>(j, [&](index w, A weight) { sum += weight * strip[w]; });
                     row[j] = detail::narrowed<T>(sum / static_cast<A>(rows.divisor(i) * columns.divisor(j)));
                   }
                 }
             });
}

}  // namespace hone::inline HONE_ABI::on_cpu

#include <hone/core/macros_pop.hpp>
