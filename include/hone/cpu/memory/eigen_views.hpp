// SPDX-License-Identifier: MIT
/// Accepts Eigen's vectors as labels and weights: also a temporary Eigen::Map or segment, because it views memory that
/// outlives it.
#pragma once

#include <hone/core/contiguous.hpp>

#include <hone/cpu/simd/packet.hpp>

#include <hone/core/macros_push.hpp>

namespace hone::inline HONE_ABI::detail {

template <class Vector, int Options, class Stride>
inline constexpr bool is_only_a_view<Eigen::Map<Vector, Options, Stride>> = true;
template <class Of, int Rows, int Columns, bool InnerPanel>
inline constexpr bool is_only_a_view<Eigen::Block<Of, Rows, Columns, InnerPanel>> = true;
template <class Of, int Size>
inline constexpr bool is_only_a_view<Eigen::VectorBlock<Of, Size>> = true;

}  // namespace hone::inline HONE_ABI::detail

#include <hone/core/macros_pop.hpp>
