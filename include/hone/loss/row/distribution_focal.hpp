// SPDX-License-Identifier: MIT
/// Distribution focal loss: a side of a box as a distribution over bins.
#pragma once

#include <hone/loss/row/cross_entropy.hpp>
#include <hone/target/two_hot.hpp>

#include <hone/core/macros_push.hpp>

namespace hone::inline HONE_ABI {

/// Cross entropy against two_hot(distances, options) (Li et al. 2020, arXiv 2006.04388). Rows are sides of boxes, four
/// per box; columns are the bins 0, 1, …, reg_max. `distances` has one number per row, in units of bins.
template <class Distances>
auto distribution_focal_loss(Distances&& distances, two_hot_options options = {}) {
  static_assert(detail::makes_numbers<Distances>,
                "distribution_focal_loss: the distances must be a std::vector or std::span of float or double");
  return cross_entropy(two_hot(static_cast<Distances&&>(distances), options));
}

static_assert(row_term<cross_entropy_term<two_hot_target>>);

}  // namespace hone::inline HONE_ABI

#include <hone/core/macros_pop.hpp>
