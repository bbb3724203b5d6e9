// SPDX-License-Identifier: MIT
/// The concept of a step of a gradient transformation. Every chain transforms an element g of a unit by
///   y = clamp(g / scale, ±before)      g' = clamp(y · factor of the unit, ±after)
/// so that one sweep measures the norms of y and at most one more sweep writes. A unit is a tensor, or a row or column
/// of it if the chain has adaptive_clip. Steps only define how the factor follows from the norms.
#pragma once

#include <hone/core/error.hpp>
#include <hone/core/operand.hpp>

#include <concepts>
#include <limits>

#include <hone/core/macros_push.hpp>

namespace hone::inline HONE_ABI {

/// The scope of a step: all numbers, each number above a limit, or the norm of a tensor, of all tensors, of a unit.
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

/// Returns the factor that reduces a norm to max; exactly 1 if the norm is not larger.
HONE_HD constexpr double clip_factor(double norm, double max) noexcept { return norm > max ? max / norm : 1; }

inline double require_max(const char* function, const char* name, double max) {
  require(max >= 0, function, name, max, "at least 0");
  return max;
}
inline double require_p(const char* function, double p) {
  require(p == 1 || p == 2 || p == infinity, function, "p", p, "1, 2 or infinity");
  return p;
}

/// The two rules of a chain: unscale comes first, and no norm is taken of numbers that were clipped by value after a
/// norm clip, because that would need another sweep.
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
