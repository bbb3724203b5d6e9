// SPDX-License-Identifier: MIT
/// Eigen's vectors as labels and weights: a temporary Eigen::Map may be taken, for it views memory of the caller's.
#pragma once

#include <hone/core/contiguous.hpp>

#include <hone/cpu/simd/packet.hpp>

#include <hone/core/macros_push.hpp>

namespace hone::inline HONE_ABI::detail {

template <class Vector, int Options, class Stride>
inline constexpr bool is_only_a_view<Eigen::Map<Vector, Options, Stride>> = true;

}  // namespace hone::inline HONE_ABI::detail

#include <hone/core/macros_pop.hpp>
