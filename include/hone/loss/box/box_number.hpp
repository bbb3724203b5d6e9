// SPDX-License-Identifier: MIT
/// The numbers that boxes may consist of where nothing is differentiated: integers too.
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

/// The type of the arithmetic on boxes of T, in which every coordinate up to 2^30 is exact.
template <class T>
using box_arithmetic =
    std::conditional_t<std::integral<std::remove_const_t<T>> && (sizeof(T) > 2), double, accumulator_t<T>>;

/// The type of the overlaps of boxes of T: float for integers.
template <class T>
using overlap_number = std::conditional_t<std::integral<std::remove_const_t<T>>, float, std::remove_const_t<T>>;

}  // namespace detail
}  // namespace hone::inline HONE_ABI

#include <hone/core/macros_pop.hpp>
