// SPDX-License-Identifier: MIT
/// Mixup: replaces every sample by a mixture of two (Zhang et al. 2017, arXiv 1710.09412).
#pragma once

#include <hone/sample/beta.hpp>
#include <hone/sample/draw.hpp>

#include <hone/core/macros_push.hpp>

namespace hone::inline HONE_ABI {

/// λ ~ Beta(α, α). A draw depends only on the arguments of draw(): it is the same on every machine, on every backend,
/// and after a resume.
struct mixup {
  real alpha = 0.2;  ///< finite and positive; if small, most samples change little
  mixing_unit per = sample;
  partners with = partners::others;  ///< ignored if per is pair

  /// Draws λ and partner of n rows for one training step. Throws hone::invalid_argument for invalid values.
  HONE_IF_CALLED
  mixup_draw draw(integer seed, integer step, integer n) const;
};

namespace detail {

/// Draws single rows of a mixup, in any order, on the host and on a device.
struct mixup_rows {
  symmetric_beta beta;
  mixing_unit per;
  partners with;

  mixup_rows(mixup const& of, index n) : beta(of.alpha), per(of.per), with(of.with) {
    require_alpha("mixup", "alpha", of.alpha);
    require_rows("mixup", n);
  }
  HONE_HD shared_draw operator()(random_bits const& bits, index row) const noexcept {
    return {same_float(beta(bits, std::uint64_t(row)))};
  }
};

}  // namespace detail

template <class>
mixup_draw mixup::draw(integer seed, integer step, integer n) const {
  return detail::drawn<mixup_draw>(detail::mixup_rows(*this, n), {seed, step}, n);
}

}  // namespace hone::inline HONE_ABI

#include <hone/core/macros_pop.hpp>
