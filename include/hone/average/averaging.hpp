// SPDX-License-Identifier: MIT
/// The concept of an average: the weight of the parameters in update n. Also the update of one number.
#pragma once

#include <hone/core/config.hpp>
#include <hone/core/error.hpp>
#include <hone/core/number.hpp>
#include <hone/core/operand.hpp>

#include <concepts>
#include <type_traits>

#include <hone/core/macros_push.hpp>

namespace hone::inline HONE_ABI {

/// Update n of an average: s becomes (1 - weight) s + weight p.
struct average_step {
  double weight;      ///< in [0, 1]; 1 copies p, 0 keeps s
  bool anew = false;  ///< true: forget all earlier updates first
};

/// at(n) is a pure function of the number n of the update, which counts from 1. For CUDA it must be HONE_HD.
template <class A>
concept averaging = std::is_trivially_copyable_v<A> && requires(A const& policy, integer n) {
  { policy.at(n) } -> std::same_as<average_step>;
};

/// Returns s + w (p - s). A shadow that equals its parameter stays equal, bit by bit, however w is rounded. In d s + (1
/// - d) p the two roundings do not sum to 1: in float, d = 0.9999 shifts a constant weight by up to 3e-4 of itself. If
/// p - s is not finite, returns (s - w s) + w p, whose parts are no larger than s and p.
template <operand V>
HONE_HD V averaged(V shadow, V parameter, V weight) noexcept {
  const V difference = parameter - shadow;
  return select(difference - difference == V(0), shadow + weight * difference,
                (shadow - weight * shadow) + weight * parameter);
}

namespace detail {

HONE_HD inline void require_update(const char* average, std::int64_t n) {
  require(n >= 1, average, "the number of the update", n, "at least 1");
}

}  // namespace detail
}  // namespace hone::inline HONE_ABI

#include <hone/core/macros_pop.hpp>
