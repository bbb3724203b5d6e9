// SPDX-License-Identifier: MIT
/// Converts rows of four numbers to four packs, one per column, and back: a transpose in registers.
#pragma once

#include <hone/core/config.hpp>
#include <hone/cpu/memory/streaming_store.hpp>
#include <hone/cpu/simd/pack.hpp>

#include <utility>

#include <hone/core/macros_push.hpp>

namespace hone::inline HONE_ABI::on_cpu {

namespace interleaving {

/// From two packs to one, for every block of four lanes: the lower (From = 0) or upper (From = 2) two lanes of a and b,
/// alternating; and the first (From = 0) or last (From = 2) two lanes of a, then those of b.
template <int From, class V, std::size_t... I>
HONE_INLINE V alternated(V a, V b, std::index_sequence<I...>) noexcept {
  return V::of(__builtin_shufflevector(
      a.v, b.v, static_cast<int>(I / 4 * 4 + From + I % 4 / 2 + (I % 2) * std::size_t(V::size))...));
}
template <int From, class V, std::size_t... I>
HONE_INLINE V joined(V a, V b, std::index_sequence<I...>) noexcept {
  return V::of(__builtin_shufflevector(
      a.v, b.v, static_cast<int>(I / 4 * 4 + From + I % 2 + I % 4 / 2 * std::size_t(V::size))...));
}
/// A transpose of 4 x 4 numbers in every block of four lanes.
template <class V>
HONE_INLINE void transpose(V (&x)[4]) noexcept {
  constexpr auto lanes = std::make_index_sequence<static_cast<std::size_t>(V::size)>();
  const V low[] = {alternated<0>(x[0], x[1], lanes), alternated<0>(x[2], x[3], lanes)};
  const V high[] = {alternated<2>(x[0], x[1], lanes), alternated<2>(x[2], x[3], lanes)};
  x[0] = joined<0>(low[0], low[1], lanes), x[1] = joined<2>(low[0], low[1], lanes);
  x[2] = joined<0>(high[0], high[1], lanes), x[3] = joined<2>(high[0], high[1], lanes);
}
template <std::size_t Rows, class V, std::size_t... I>
HONE_INLINE V spread(V x, std::index_sequence<I...>) noexcept {  // lane I gets lane I % Rows * (size / Rows) + I / Rows
  return V::of(__builtin_shufflevector(x.v, x.v, static_cast<int>(I % Rows * (sizeof...(I) / Rows) + I / Rows)...));
}

/// With two lanes, a transpose of two 2 x 2 halves.
template <class V>
HONE_INLINE void exchange(V (&x)[4]) noexcept {
  const V first[] = {V::of(__builtin_shufflevector(x[0].v, x[2].v, 0, 2)),
                     V::of(__builtin_shufflevector(x[0].v, x[2].v, 1, 3))};
  const V second[] = {V::of(__builtin_shufflevector(x[1].v, x[3].v, 0, 2)),
                      V::of(__builtin_shufflevector(x[1].v, x[3].v, 1, 3))};
  x[0] = first[0], x[1] = first[1], x[2] = second[0], x[3] = second[1];
}

}  // namespace interleaving

/// Loads as many rows of four numbers as a pack has lanes; to[c] is column c. store_columns stores them back. The rows
/// take the lanes in an order of their own, which costs fewer instructions: lane 4 k + j has row j · size / 4 + k.
template <class A>
HONE_INLINE void load_columns(A const* from, pack<A> (&to)[4]) noexcept {
  constexpr int W = pack<A>::size;
  to[0] = pack<A>::load(from), to[1] = pack<A>::load(from + W);  // -O2 would not unroll a loop
  to[2] = pack<A>::load(from + 2 * W), to[3] = pack<A>::load(from + 3 * W);
  if constexpr (W >= 4)
    interleaving::transpose(to);
  else if constexpr (W == 2)
    interleaving::exchange(to);
}
/// Returns the packs in memory order of the rows that they hold.
template <class A>
HONE_INLINE void columns_to_rows(pack<A> (&x)[4]) noexcept {
  if constexpr (pack<A>::size >= 4) {
    interleaving::transpose(x);
  } else if constexpr (pack<A>::size == 2) {
    pack<A> y[] = {x[0], x[2], x[1], x[3]};
    interleaving::exchange(y);
    x[0] = y[0], x[1] = y[2], x[2] = y[1], x[3] = y[3];
  }
}
/// If `streaming` is true, the stores bypass the caches; the address is aligned for packs.
template <class A>
HONE_INLINE void store_columns(pack<A> const (&from)[4], A* to, bool streaming) noexcept {
  constexpr int W = pack<A>::size;
  pack<A> x[] = {from[0], from[1], from[2], from[3]};
  columns_to_rows(x);
  if (streaming) {
    stream_pack(x[0], to), stream_pack(x[1], to + W), stream_pack(x[2], to + 2 * W), stream_pack(x[3], to + 3 * W);
  } else {
    x[0].store(to), x[1].store(to + W), x[2].store(to + 2 * W), x[3].store(to + 3 * W);
  }
}

/// Moves one number per row from the order of the rows to the lanes of load_columns, and back.
template <class A>
HONE_INLINE pack<A> to_lanes_of_columns(pack<A> x) noexcept {
  constexpr auto W = static_cast<std::size_t>(pack<A>::size);
  if constexpr (W > 4)
    return interleaving::spread<4>(x, std::make_index_sequence<W>());
  else
    return x;
}
template <class A>
HONE_INLINE pack<A> to_order_of_rows(pack<A> x) noexcept {
  constexpr auto W = static_cast<std::size_t>(pack<A>::size);
  if constexpr (W > 4)
    return interleaving::spread<W / 4>(x, std::make_index_sequence<W>());
  else
    return x;
}

}  // namespace hone::inline HONE_ABI::on_cpu

#include <hone/core/macros_pop.hpp>
