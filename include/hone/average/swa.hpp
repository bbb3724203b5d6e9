// SPDX-License-Identifier: MIT
/// The average with the same weight for all updates.
#pragma once

#include <hone/average/averaging.hpp>

#include <hone/core/macros_push.hpp>

namespace hone::inline HONE_ABI {

/// s becomes s + (p - s) / n: after n updates it is the mean of the parameters of these updates. The first update
/// copies, so that the initial state has no weight. Update once per cycle or epoch, near the end of a training.
///
///     hone::update(cpu, hone::swa{}, shadow, parameters);
///
/// Source: Izmailov et al., Averaging weights leads to wider optima, 2018, arXiv 1803.05407.
struct swa {
  HONE_HD average_step at(integer n) const {
    detail::require_update("swa", n);
    return {1 / static_cast<double>(n)};
  }
};
static_assert(averaging<swa>);

}  // namespace hone::inline HONE_ABI

#include <hone/core/macros_pop.hpp>
