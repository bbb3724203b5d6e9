// SPDX-License-Identifier: MIT
/// Transposes rows in memory to packs, and back, through a square of registers.
#pragma once

#include <hone/cpu/simd/partial_moves.hpp>
#include <hone/cpu/simd/transpose.hpp>

#include <hone/core/macros_push.hpp>

HONE_AVX512_BEGIN
namespace hone::inline HONE_ABI::on_cpu {

/// Transposes W x W numbers, whose rows have the strides from_stride and to_stride. `load` and `store` take an address
/// and the number of a row, and may access rows in part.
template <class A, class Load, class Store>
HONE_INLINE void transpose(A const* from, index from_stride, A* to, index to_stride, Load const& load,
                           Store const& store) noexcept {
  constexpr int W = pack<A>::size;
  square_of<A> square;
  unrolled<W>([&](int i) HONE_INLINE_LAMBDA { square.packet[i] = load(from + i * from_stride, i).v; });
  transpose<A>(square);
  unrolled<W>([&](int i) HONE_INLINE_LAMBDA { store(pack<A>::of(square.packet[i]), to + i * to_stride, i); });
}
template <class A>
void transpose(A const* from, index from_stride, A* to, index to_stride) noexcept {
  transpose(
      from, from_stride, to, to_stride, [](A const* p, int) HONE_INLINE_LAMBDA { return pack<A>::load(p); },
      [](pack<A> x, A* p, int) HONE_INLINE_LAMBDA { x.store(p); });
}
/// The same for rows of `columns` < W numbers, which become as many packs, and back.
template <class A>
void transpose_short_rows(A const* from, index stride, index columns, A* strip) noexcept {
  constexpr int W = pack<A>::size;
  transpose(
      from, stride, strip, W, [&](A const* p, int) HONE_INLINE_LAMBDA { return load_first(p, columns); },
      [&](pack<A> x, A* p, int i) HONE_INLINE_LAMBDA {
        if (i < columns) x.store(p);
      });
}
template <class A>
void transpose_to_short_rows(A const* strip, A* to, index stride, index columns) noexcept {
  constexpr int W = pack<A>::size;
  // Rows side by side are stored as whole packs, whose surplus the next rows overwrite, up to the last ones.
  const index full_stores = stride == columns ? (W * columns - W) / columns + 1 : 0;
  transpose(
      strip, W, to, stride,
      [&](A const* p, int i) HONE_INLINE_LAMBDA { return i < columns ? pack<A>::load(p) : pack<A>(0); },
      [&](pack<A> x, A* p, int i) HONE_INLINE_LAMBDA { i < full_stores ? x.store(p) : store_first(x, p, columns); });
}

}  // namespace hone::inline HONE_ABI::on_cpu
HONE_AVX512_END

#include <hone/core/macros_pop.hpp>
