// SPDX-License-Identifier: MIT
/// The number types of boxes in functions without a derivative: integers are allowed too.
#pragma once

#include <hone/core/number.hpp>

#include <concepts>
#include <type_traits>

#include <hone/core/macros_push.hpp>

namespace hone::inline HONE_ABI {

/// float, double, a 16-bit floating-point type, or an integer.
template <class T>
concept box_number = element<T> || (std::integral<T> && !std::same_as<T, bool>);

namespace detail {

/// The type that computes with boxes of T: every coordinate up to 2^30 is exact in it.
template <class T>
using box_arithmetic =
    std::conditional_t<std::integral<std::remove_const_t<T>> && (sizeof(T) > 2), double, accumulator_t<T>>;

/// The type of the overlaps of boxes of T: float if T is an integer type, else T.
template <class T>
using overlap_number = std::conditional_t<std::integral<std::remove_const_t<T>>, float, std::remove_const_t<T>>;

}  // namespace detail
}  // namespace hone::inline HONE_ABI

#include <hone/core/macros_pop.hpp>
