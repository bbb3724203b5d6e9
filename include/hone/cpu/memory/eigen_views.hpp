// SPDX-License-Identifier: MIT
/// Accepts Eigen's vectors as labels and weights: also a temporary Eigen::Map, because it views the caller's memory.
#pragma once

#include <hone/core/contiguous.hpp>

#include <hone/cpu/simd/packet.hpp>

#include <hone/core/macros_push.hpp>

namespace hone::inline HONE_ABI::detail {

template <class Vector, int Options, class Stride>
inline constexpr bool is_only_a_view<Eigen::Map<Vector, Options, Stride>> = true;

}  // namespace hone::inline HONE_ABI::detail

#include <hone/core/macros_pop.hpp>
