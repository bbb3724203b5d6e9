// SPDX-License-Identifier: MIT
/// The same rate at every step.
#pragma once

#include <hone/schedule/schedule.hpp>

#include <hone/core/macros_push.hpp>

namespace hone::inline HONE_ABI {

/// A constant rate, alone or as a part of a sequence.
///   rate(t) = value
///
///     const auto schedule = hone::sequence(hone::constant{.value = 0.1}, 300, hone::cosine{.peak = 0.1, .total =
///     100});
///
/// Throws hone::invalid_argument if value is not finite or step < 0.
struct constant {
  real value = 0;

  HONE_HD double rate(integer step) const {
    detail::require_rate("constant", "value", value);
    detail::require_step("constant", step);
    return value;
  }
};
static_assert(schedule<constant>);

}  // namespace hone::inline HONE_ABI

#include <hone/core/macros_pop.hpp>
