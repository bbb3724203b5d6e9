// SPDX-License-Identifier: MIT
/// A predicted box and its target along one axis: the lengths that metrics are computed from.
#pragma once

#include <hone/core/operand.hpp>

#include <hone/core/macros_push.hpp>

namespace hone::inline HONE_ABI {

/// Each format computes it from its own numbers, so that no length is a difference of numbers far larger than itself.
/// Equal intervals have bitwise equal lengths and an offset of 0. Only `offset` may be negative.
template <class V>
struct box_axis {
  V side, target;   ///< lengths of the predicted box and of its target
  V overlap, hull;  ///< length of the intersection, and of the shortest interval that covers both
  V offset;         ///< the predicted centre minus the target's centre
  V starts, ends;   ///< 1 if overlap starts (ends) with the predicted box, 0 if with its target, 1/2 on a tie
};

/// The derivative of a loss by the lengths of an axis.
template <class V>
struct axis_slope {
  V side = V(0), hull = V(0), offset = V(0);
};

}  // namespace hone::inline HONE_ABI

#include <hone/core/macros_pop.hpp>
