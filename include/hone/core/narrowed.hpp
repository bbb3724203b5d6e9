// SPDX-License-Identifier: MIT
/// Conversion of a number to a narrower type: it is rounded, and a finite number stays finite.
#pragma once

#include <hone/core/number.hpp>

#include <concepts>
#include <cstdint>
#include <cstring>
#include <type_traits>

#include <hone/core/macros_push.hpp>

namespace hone::inline HONE_ABI::detail {

/// Returns true for ±infinity. Tests the bits, because -ffast-math would fold a comparison away.
HONE_HD inline bool infinite(float x) noexcept { return __builtin_bit_cast(std::uint32_t, x) << 1 == 0xff000000U; }
HONE_HD inline bool infinite(double x) noexcept {
  return __builtin_bit_cast(std::uint64_t, x) << 1 == 0xffe0000000000000U;
}

/// True if a number of A may lie beyond the range of T: the conversion from A to T is a narrowing.
template <class T, class A>
inline constexpr bool narrows = std::floating_point<A> && sizeof(T) < sizeof(A) && !std::integral<T>;

/// Numbers between -surely_in_range and surely_in_range are in the range of every type as wide as T.
template <class T, class A>
inline constexpr A surely_in_range = sizeof(T) == 2 ? A(65504) : A(3.4e38);

/// Returns x rounded to the nearest T. A finite x beyond the range of T gives the largest finite number of T with its
/// sign; an infinity stays an infinity, and NaN stays NaN. The conversions of T and A may be host-only if just the host
/// calls this.
HONE_NO_EXEC_CHECK
template <class T, class A>
HONE_HD T narrowed(A x) noexcept {
  if constexpr (std::same_as<T, A>) {
    return x;
  } else if constexpr (!std::floating_point<A> && sizeof(T) == 2 && sizeof(A) == 2) {
    return narrowed<T>(static_cast<float>(x));  // both are 16-bit types
  } else if constexpr (narrows<T, A>) {
    using bits = std::conditional_t<sizeof(T) == 2, std::uint16_t, std::uint32_t>;
    constexpr A safe = surely_in_range<T, A>;
    T y = static_cast<T>(x);
    if (x < safe && x > -safe) return y;
    if (infinite(static_cast<float>(y)) && !infinite(x)) {
      bits b;
      memcpy(&b, &y, sizeof y);  // nvcc 13 mishandles a bit_cast of 16-bit types
      --b;                       // the bits of the largest finite number, in either sign
      memcpy(static_cast<void*>(&y), &b, sizeof y);
    }
    return y;
  } else {
    return static_cast<T>(x);
  }
}

}  // namespace hone::inline HONE_ABI::detail

#include <hone/core/macros_pop.hpp>
