// SPDX-License-Identifier: MIT
/// An operand that represents the operands of all backends. A formula is compiled with it at its declaration, so a
/// formula that a backend could not compute gives one clear compile error there.
#pragma once

#include <hone/core/number.hpp>
#include <hone/core/operand.hpp>

#include <hone/core/macros_push.hpp>

namespace hone::inline HONE_ABI::detail {

/// The result of comparing lanes: one answer per lane. Only select, & and | accept it.
struct lane_mask {
  template <std::same_as<bool> B>
  HONE_HD constexpr operator B() const {
    static_assert(sizeof(B) == 0,
                  "formula: a comparison has one answer per lane: use select, & and | in place of if, ?:, && and ||");
    return false;
  }
  HONE_HD friend constexpr lane_mask operator&(lane_mask, lane_mask) { return {}; }
  HONE_HD friend constexpr lane_mask operator|(lane_mask, lane_mask) { return {}; }
};

/// Has every function of a backend's operand and computes nothing.
struct lanes {
  using number = double;

  constexpr lanes() = default;
  HONE_HD explicit constexpr lanes(arithmetic auto) {}

  HONE_HD friend constexpr lanes operator+(lanes, lanes) { return {}; }
  HONE_HD friend constexpr lanes operator-(lanes, lanes) { return {}; }
  HONE_HD friend constexpr lanes operator*(lanes, lanes) { return {}; }
  HONE_HD friend constexpr lanes operator/(lanes, lanes) { return {}; }
  HONE_HD friend constexpr lanes operator-(lanes) { return {}; }
  HONE_HD constexpr lanes& operator+=(lanes) { return *this; }
  HONE_HD constexpr lanes& operator-=(lanes) { return *this; }
  HONE_HD constexpr lanes& operator*=(lanes) { return *this; }
  HONE_HD constexpr lanes& operator/=(lanes) { return *this; }
  HONE_HD friend constexpr lane_mask operator<(lanes, lanes) { return {}; }
  HONE_HD friend constexpr lane_mask operator<=(lanes, lanes) { return {}; }
  HONE_HD friend constexpr lane_mask operator>(lanes, lanes) { return {}; }
  HONE_HD friend constexpr lane_mask operator==(lanes, lanes) { return {}; }

  HONE_HD friend constexpr lanes exp(lanes) { return {}; }
  HONE_HD friend constexpr lanes exp_of_nonpositive(lanes) { return {}; }
  HONE_HD friend constexpr lanes exp_of_minus(lanes) { return {}; }
  HONE_HD friend constexpr lanes expm1(lanes) { return {}; }
  HONE_HD friend constexpr lanes log(lanes) { return {}; }
  HONE_HD friend constexpr lanes log1p(lanes) { return {}; }
  HONE_HD friend constexpr lanes log1p_of_unit(lanes) { return {}; }
  HONE_HD friend constexpr lanes sqrt(lanes) { return {}; }
  HONE_HD friend constexpr lanes atan(lanes) { return {}; }
  HONE_HD friend constexpr lanes abs(lanes) { return {}; }
  HONE_HD friend constexpr lanes min(lanes, lanes) { return {}; }
  HONE_HD friend constexpr lanes max(lanes, lanes) { return {}; }
  HONE_HD friend constexpr lanes select(lane_mask, lanes, lanes) { return {}; }
};
static_assert(operand<lanes>);

}  // namespace hone::inline HONE_ABI::detail

#include <hone/core/macros_pop.hpp>
