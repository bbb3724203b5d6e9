// SPDX-License-Identifier: MIT
/// Converts numbers between types; 16-bit numbers by full packs (cpu/simd/half_packs.hpp) if the processor supports
/// it.
#pragma once

#include <hone/core/narrowed.hpp>
#include <hone/cpu/simd/half_packs.hpp>
#include <hone/cpu/simd/pack.hpp>

#include <algorithm>
#include <concepts>
#include <cstring>
#include <limits>

#include <hone/core/macros_push.hpp>

namespace hone::inline HONE_ABI::on_cpu {

/// True if a pack of T converts to a pack of A directly.
template <class A, class T>
inline constexpr bool has_packs_of = std::same_as<A, float> && half_packs<T>::exist;

/// Converts n numbers.
template <class A, class T>
void convert(T const* from, A* to, index n) noexcept;

/// Loads as many numbers as a pack of A has and converts them. Widening is exact, so the bits are those of converting
/// single numbers, except for the payload of NaN.
template <class A, class T>
pack<A> load_as(T const* p) noexcept {
  if constexpr (std::same_as<A, T>) {
    return pack<A>::load(p);
  } else if constexpr (!has_packs_of<A, T>) {
    A lanes[pack<A>::size];
    convert(p, lanes, pack<A>::size);
    return pack<A>::load(lanes);
  } else {
    return half_packs<T>::load(p);
  }
}

/// Clamps finite numbers to [-largest, largest]; infinities and NaN stay unchanged.
template <class A>
pack<A> bounded(pack<A> x, A largest) noexcept {
  const pack<A> limit(largest);
  return select(abs(x) <= pack<A>((std::numeric_limits<A>::max)()), max(min(x, limit), -limit), x);
}

/// The largest finite number of T, as an A.
template <class T, class A>
inline constexpr A largest_finite = std::same_as<T, float>         ? A((std::numeric_limits<float>::max)())
                                    : std::same_as<T, Eigen::half> ? A(65504)
                                                                   : A(0x1.fep127);

/// Narrows n numbers without packs of A. Few numbers are out of range: one test covers a block of 256.
template <class T, class A>
void narrow(T const* from, A* to, index n) noexcept {
  using V = pack<T>;
  constexpr index block_size = 256;
  const V bound(largest_finite<A, T>);
  for (index begin = 0; begin < n; begin += block_size) {
    const index end = std::min(begin + block_size, n), full = begin + (end - begin) / V::size * V::size;
    V outside(0);
    for (index i = begin; i < full; i += V::size) outside += keep(bound < abs(V::load(from + i)), V(1));
    index i = begin;
    if (sum(outside) == 0)
      for (; i < full; ++i) to[i] = static_cast<A>(from[i]);
    for (; i < end; ++i) to[i] = detail::narrowed<A>(from[i]);
  }
}

/// Stores a pack of A, rounded to the nearest number, ties to even; finite numbers stay finite. The bits are those of
/// narrowing single numbers.
template <class T, class A>
  requires(has_packs_of<A, T>)
void store_as(pack<A> x, T* p) noexcept {
  half_packs<T>::store(bounded(x, largest_finite<T, A>), p);
}

template <class A, class T>
void convert(T const* from, A* to, index n) noexcept {
  if constexpr (std::same_as<A, T>) {
    std::memcpy(to, from, static_cast<std::size_t>(n) * sizeof(A));
  } else {
    index full = 0;
    if constexpr (has_packs_of<A, T> && half_packs<T>::fast) {
      full = n / pack<A>::size * pack<A>::size;
      for (index i = 0; i < full; i += pack<A>::size) load_as<A>(from + i).store(to + i);
    } else if constexpr (has_packs_of<T, A> && half_packs<A>::fast) {
      full = n / pack<T>::size * pack<T>::size;
      for (index i = 0; i < full; i += pack<T>::size) store_as(pack<T>::load(from + i), to + i);
    }
    if constexpr (std::floating_point<T> && sizeof(A) < sizeof(T)) {
      narrow(from + full, to + full, n - full);
    } else {
      for (index i = full; i < n; ++i) to[i] = detail::narrowed<A>(from[i]);
    }
  }
}

}  // namespace hone::inline HONE_ABI::on_cpu

#include <hone/core/macros_pop.hpp>
