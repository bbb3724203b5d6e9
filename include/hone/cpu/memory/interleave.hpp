// SPDX-License-Identifier: MIT
/// Converts rows of four numbers to four packs, one per column, and back: a transpose in registers.
#pragma once

#include <hone/core/config.hpp>
#include <hone/cpu/simd/pack.hpp>

#include <utility>

#include <hone/core/macros_push.hpp>

namespace hone::inline HONE_ABI::on_cpu {

namespace interleaving {

template <class V, std::size_t... I>
HONE_INLINE V evens(V a, V b, std::index_sequence<I...>) noexcept {
  return V::of(__builtin_shufflevector(a.v, b.v, static_cast<int>(2 * I)...));
}
template <class V, std::size_t... I>
HONE_INLINE V odds(V a, V b, std::index_sequence<I...>) noexcept {
  return V::of(__builtin_shufflevector(a.v, b.v, static_cast<int>(2 * I + 1)...));
}
/// Returns a[0], b[0], a[1], b[1], … of the lower halves (From = 0) or of the upper halves (From = V::size / 2).
template <int From, class V, std::size_t... I>
HONE_INLINE V zipped(V a, V b, std::index_sequence<I...>) noexcept {
  return V::of(__builtin_shufflevector(a.v, b.v, static_cast<int>(From + I / 2 + (I % 2) * V::size)...));
}

/// One step of a transpose of four packs, seen as one row: unzip moves even numbers before odd ones; zip reverses it.
template <class V>
HONE_INLINE void unzip(V (&x)[4]) noexcept {
  constexpr auto lanes = std::make_index_sequence<static_cast<std::size_t>(V::size)>();
  const V even[] = {evens(x[0], x[1], lanes), evens(x[2], x[3], lanes)};
  const V odd[] = {odds(x[0], x[1], lanes), odds(x[2], x[3], lanes)};
  x[0] = even[0], x[1] = even[1], x[2] = odd[0], x[3] = odd[1];
}
template <class V>
HONE_INLINE void zip(V (&x)[4]) noexcept {
  constexpr auto lanes = std::make_index_sequence<static_cast<std::size_t>(V::size)>();
  constexpr int half = V::size / 2;
  const V first[] = {zipped<0>(x[0], x[2], lanes), zipped<half>(x[0], x[2], lanes)};
  const V second[] = {zipped<0>(x[1], x[3], lanes), zipped<half>(x[1], x[3], lanes)};
  x[0] = first[0], x[1] = first[1], x[2] = second[0], x[3] = second[1];
}

}  // namespace interleaving

/// Loads as many rows of four numbers as a pack has lanes; to[c] is column c. store_columns stores them back.
template <class A>
HONE_INLINE void load_columns(A const* from, pack<A> (&to)[4]) noexcept {
  constexpr int W = pack<A>::size;
  to[0] = pack<A>::load(from), to[1] = pack<A>::load(from + W);  // -O2 would not unroll a loop
  to[2] = pack<A>::load(from + 2 * W), to[3] = pack<A>::load(from + 3 * W);
  if constexpr (W > 1) {
    interleaving::unzip(to);
    interleaving::unzip(to);
  }
}
template <class A>
HONE_INLINE void store_columns(pack<A> const (&from)[4], A* to) noexcept {
  constexpr int W = pack<A>::size;
  pack<A> x[] = {from[0], from[1], from[2], from[3]};
  if constexpr (W > 1) {
    interleaving::zip(x);
    interleaving::zip(x);
  }
  x[0].store(to), x[1].store(to + W), x[2].store(to + 2 * W), x[3].store(to + 3 * W);
}

}  // namespace hone::inline HONE_ABI::on_cpu

#include <hone/core/macros_pop.hpp>
