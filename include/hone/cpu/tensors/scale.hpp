// SPDX-License-Identifier: MIT
/// Multiplies numbers by factors and clips them before and after: in the type of the arithmetic, or in double if a
/// factor or a product is out of its range.
#pragma once

#include <hone/core/unit_cut.hpp>
#include <hone/cpu/memory/convert.hpp>
#include <hone/cpu/simd/math.hpp>
#include <hone/gradient/scaling.hpp>

#include <algorithm>
#include <type_traits>

#include <hone/core/macros_push.hpp>

namespace hone::inline HONE_ABI::on_cpu {

/// Scales n contiguous numbers in the type of the arithmetic.
template <class T>
void scale_numbers(T* g, index n, detail::scaling const& scale_rule) noexcept {
  using A = accumulator_t<T>;
  using V = pack<A>;
  constexpr index block_size = 1024;
  const detail::scaled_in<V> next(scale_rule);
  A block[block_size];
  for (index i = 0; i < n; i += block_size) {
    const index m = std::min(block_size, n - i), in_packs = m / V::size * V::size;
    A* at = block;
    if constexpr (std::is_same_v<A, T>) {
      at = g + i;
    } else {
      convert(g + i, block, m);
    }
    for (index j = 0; j < in_packs; j += V::size) next(V::load(at + j)).store(at + j);
    if (in_packs < m) {
      A remainder[V::size] = {};
      std::copy(at + in_packs, at + m, remainder);
      next(V::load(remainder)).store(remainder);
      std::copy(remainder, remainder + (m - in_packs), at + in_packs);
    }
    if constexpr (!std::is_same_v<A, T>) convert(at, g + i, m);
  }
}

/// Scales n contiguous numbers in double, for factors or products out of the range of the type of the arithmetic.
template <class T>
void scale_carefully(T* g, index n, detail::scaling const& scale_rule) noexcept {
  using A = accumulator_t<T>;
  const detail::scaled_in<double> next(scale_rule);
  for (index i = 0; i < n; ++i)
    g[i] = detail::narrowed<T>(detail::narrowed<A>(next(static_cast<double>(static_cast<A>(g[i])))));
}

/// Scales the first n columns of a matrix, column c by factors[c], in the arithmetic of C.
template <class C, class T>
void scale_columns(T* g, detail::tensor_units of, index n, detail::scaling const& scale_rule,
                   double const* factors) noexcept {
  using A = accumulator_t<T>;
  const detail::scaled_in<C> all(scale_rule);
  C by[detail::columns_per_piece], then[detail::columns_per_piece];
  for (index c = 0; c < n; ++c) {
    const detail::scaled_in<C> one(scale_rule.with(factors[c]));
    by[c] = one.by, then[c] = one.then;
  }
  for (index r = 0; r < of.rows; ++r, g += of.columns)
    for (index c = 0; c < n; ++c)
      g[c] = detail::narrowed<T>(detail::narrowed<A>(all.of(static_cast<C>(static_cast<A>(g[c])), by[c], then[c])));
}

}  // namespace hone::inline HONE_ABI::on_cpu

#include <hone/core/macros_pop.hpp>
