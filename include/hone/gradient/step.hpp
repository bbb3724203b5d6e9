// SPDX-License-Identifier: MIT
/// The role of a step of a gradient transformation. Whatever the chain, an element g of a unit goes the way
///   y = clamp(g / scale, ±before)      g' = clamp(y · factor of the unit, ±after)
/// so that one sweep measures the norms of y and at most one other writes. A unit is a tensor, or a row or column of it
/// where a chain clips adaptively. Steps only say how the factor follows from the norms.
#pragma once

#include <hone/core/error.hpp>
#include <hone/core/operand.hpp>

#include <concepts>
#include <limits>

#include <hone/core/macros_push.hpp>

namespace hone::inline HONE_ABI {

/// What a step acts on: every number alike, every number up to a limit, or norms of tensors, of all, of units.
enum class step_kind : unsigned char { unscale, value, tensor_norm, global_norm, unit_norm };

template <class S>
concept gradient_step = requires {
  { S::kind } -> std::same_as<step_kind const&>;
};

/// Options of clip_by_norm and clip_by_global_norm.
struct norm_options {
  real p = 2;  ///< 1, 2 or infinity
};

namespace detail {

inline constexpr double infinity = std::numeric_limits<double>::infinity();

/// What brings a norm down to max; exactly 1 where it is no larger.
HONE_HD constexpr double clip_factor(double norm, double max) noexcept { return norm > max ? max / norm : 1; }

inline double require_max(const char* function, const char* name, double max) {
  require(max >= 0, function, name, max, "at least 0");
  return max;
}
inline double require_p(const char* function, double p) {
  require(p == 1 || p == 2 || p == infinity, function, "p", p, "1, 2 or infinity");
  return p;
}

/// Whether unscaling comes first, and no norm is taken of what was clipped by value after a clipping by norm: that
/// would need another sweep.
template <class... Step>
constexpr bool unscales_first() {
  bool other = false, right = true;
  ((right = right && !(other && Step::kind == step_kind::unscale), other = other || Step::kind != step_kind::unscale),
   ...);
  return right;
}
template <class... Step>
constexpr bool takes_one_sweep() {
  bool norm = false, value_after_norm = false, right = true;
  const auto next = [&](step_kind kind) {
    const bool is_norm = kind != step_kind::unscale && kind != step_kind::value;
    right = right && !(is_norm && value_after_norm);
    value_after_norm = value_after_norm || (norm && kind == step_kind::value);
    norm = norm || is_norm;
  };
  (next(Step::kind), ...);
  return right;
}

}  // namespace detail
}  // namespace hone::inline HONE_ABI

#include <hone/core/macros_pop.hpp>
