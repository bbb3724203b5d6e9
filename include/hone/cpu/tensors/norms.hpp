// SPDX-License-Identifier: MIT
/// Sums of powers of many numbers, without overflow or underflow of squares: summed in float within a block and in
/// double across blocks; a block whose squares leave the range of float is summed in double.
#pragma once

#include <hone/cpu/memory/convert.hpp>
#include <hone/cpu/simd/pack.hpp>
#include <hone/gradient/power_sums.hpp>

#include <algorithm>
#include <cmath>

#include <hone/core/macros_push.hpp>

namespace hone::inline HONE_ABI::on_cpu {

using detail::in_range;
using detail::norm_request;
using detail::power_sums;

/// The number of elements that are summed in A: each lane adds at most 256.
template <class A>
inline constexpr index norm_block = std::min<index>(1024, index(256) * pack<A>::size);

/// Returns the sums of a block of full packs.
template <class A>
power_sums pack_sums(A const* g, index n, norm_request how) noexcept {
  using V = pack<A>;
  power_sums s;
  if (how.squares_only) {
    V a[4] = {V(0), V(0), V(0), V(0)};
    index i = 0;
    for (; i + 4 * V::size <= n; i += 4 * V::size)
      for (int k = 0; k < 4; ++k) {
        const V x = V::load(g + i + k * V::size);
        a[k] = fma(x, x, a[k]);
      }
    for (; i < n; i += V::size) {
      const V x = V::load(g + i);
      a[0] = fma(x, x, a[0]);
    }
    s.g_squares = s.squares = static_cast<double>(sum((a[0] + a[1]) + (a[2] + a[3])));
    return s;
  }
  V all(0), all_absolute(0), squares(0), absolute(0), largest(0);
  const V scale(how.scale), limit(how.limit);
  for (index i = 0; i < n; i += V::size) {
    const V x = V::load(g + i), y = abs(x * scale), clipped = min(y, limit);
    all = fma(x, x, all), squares = fma(clipped, clipped, squares);
    all_absolute += abs(x), absolute += clipped;
    largest = max(largest, y);
  }
  s.g_squares = static_cast<double>(sum(all)), s.squares = static_cast<double>(sum(squares));
  s.g_absolute = static_cast<double>(sum(all_absolute)), s.absolute = static_cast<double>(sum(absolute));
  s.largest = static_cast<double>(on_cpu::largest(largest));
  return s;
}

template <class A>
power_sums block_sums(A const* g, index n, norm_request how) noexcept {
  const power_sums s = pack_sums(g, n, how);
  if (in_range<A>(s.g_squares) && (how.squares_only || (in_range<A>(s.squares) && s.largest < 0x1p127))) return s;
  power_sums careful;
  if (std::any_of(g, g + n, [](A x) { return !(x == A(0)); }))
    for (index i = 0; i < n; ++i) add_carefully(careful, g[i], how);
  return careful;
}

/// Calls add(sums) for each block of n numbers of any type, in order. The first number has the place `place` in its
/// line, and blocks begin at multiples of norm_block of the line.
template <class T, class Add>
HONE_INLINE void for_blocks(T const* g, index n, index place, norm_request how, Add const& add) noexcept {
  using A = accumulator_t<T>;
  constexpr index W = pack<A>::size;
  constexpr index block_size = norm_block<A>;
  A block[std::size_t(block_size)];
  for (index i = 0, m = 0; i < n; i += m) {
    m = std::min(block_size - (i == 0 ? place % block_size : 0), n - i);
    A const* at = block;
    if constexpr (std::is_same_v<A, T>)
      if (m % W == 0) at = g + i;
    index padded = m;
    if (at == block) {
      convert(g + i, block, m);
      for (; padded % W != 0; ++padded) block[padded] = A(0);
    }
    add(block_sums(at, padded, how));
  }
}

/// Returns the sums of n numbers of any type.
template <class T>
power_sums sums_of(T const* g, index n, norm_request how) noexcept {
  power_sums total;
  for_blocks(g, n, 0, how, [&](power_sums const& s) { total.add(s); });
  return total;
}

/// Writes the sums of each of `columns` columns to `to`; consecutive rows are `stride` numbers apart.
template <class T>
void column_sums(T const* g, index rows, index stride, index columns, norm_request how, power_sums* to) noexcept {
  std::fill_n(to, columns, power_sums{});
  for (index r = 0; r < rows; ++r, g += stride)
    for (index c = 0; c < columns; ++c) {
      const auto x = static_cast<accumulator_t<T>>(g[c]);
      if (how.squares_only)
        to[c].g_squares += double(x) * double(x);
      else
        add_carefully(to[c], x, how);
    }
  if (how.squares_only)
    for (index c = 0; c < columns; ++c) to[c].squares = to[c].g_squares;
}

}  // namespace hone::inline HONE_ABI::on_cpu

#include <hone/core/macros_pop.hpp>
