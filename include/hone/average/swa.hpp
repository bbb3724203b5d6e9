// SPDX-License-Identifier: MIT
/// The average in which all updates count alike.
#pragma once

#include <hone/average/averaging.hpp>

#include <hone/core/macros_push.hpp>

namespace hone::inline HONE_ABI {

/// s becomes s + (p - s) / n: after n updates the mean of the n parameters that were seen; the first one copies, and
/// what the state began with counts for nothing. Update it once a cycle or an epoch, near the end of a training.
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
