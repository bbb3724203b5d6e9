// SPDX-License-Identifier: MIT
/// Mixup: every sample becomes a mixture of two (Zhang et al. 2017, arXiv 1710.09412).
#pragma once

#include <hone/sample/beta.hpp>
#include <hone/sample/draw.hpp>

#include <hone/core/macros_push.hpp>

namespace hone::inline HONE_ABI {

/// λ ~ Beta(α, α). What is drawn depends on nothing but the arguments of draw(): it is the same on every machine, on
/// every backend, and after a resume.
struct mixup {
  real alpha = 0.2;  ///< finite and positive; small: most samples stay nearly as they are
  mixing_unit per = sample;
  partners with = partners::others;  ///< where per is not pair

  /// λ and partner of n rows, for one step of a training. Throws hone::invalid_argument.
  mixup_draw draw(integer seed, integer step, integer n) const;
};

namespace detail {

/// What a mixup draws for row after row, in any order: on the host and on a device.
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

inline mixup_draw mixup::draw(integer seed, integer step, integer n) const {
  return detail::drawn<mixup_draw>(detail::mixup_rows(*this, n), {seed, step}, n);
}

}  // namespace hone::inline HONE_ABI

#include <hone/core/macros_pop.hpp>
