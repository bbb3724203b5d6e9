// SPDX-License-Identifier: MIT
/// Mixup or cutmix at random, as in training recipes for large networks (timm's Mixup).
#pragma once

#include <hone/sample/cutmix.hpp>
#include <hone/sample/mixup.hpp>

#include <hone/core/macros_push.hpp>

namespace hone::inline HONE_ABI {

/// Each unit (the batch, a pair or a sample) stays unchanged with probability 1 - `probability`; otherwise it is cut
/// with probability `switch_probability`, and mixed if it is not cut. An alpha of 0 disables one of the two, and the
/// other is then always used, as in timm; if both are 0, nothing changes: λ is 1.
struct mixup_or_cutmix {
  real mixup_alpha = 0.8;         ///< finite and positive, or 0: off
  real cutmix_alpha = 1;          ///< finite and positive, or 0: off
  real probability = 1;           ///< in [0, 1]
  real switch_probability = 0.5;  ///< in [0, 1]
  mixing_unit per = batch;
  partners with = partners::others;  ///< ignored if per is pair

  /// Draws λ, partner, box and choice of n images for one training step. Throws hone::invalid_argument.
  HONE_IF_CALLED
  mixup_or_cutmix_draw draw(integer seed, integer step, integer n, integer height, integer width) const;
};

namespace detail {

/// Draws single rows, in any order, on the host and on a device.
struct mixup_or_cutmix_rows {
  mixup_rows up;
  cutmix_rows cut;
  mixing_unit per;
  partners with;
  double probability, cut_probability;

  mixup_or_cutmix_rows(mixup_or_cutmix const& of, index n, index height, index width)
      : up({.alpha = checked("mixup_alpha", of.mixup_alpha)}, n),
        cut({.alpha = checked("cutmix_alpha", of.cutmix_alpha)}, n, height, width),
        per(of.per),
        with(of.with),
        probability(of.probability),
        cut_probability(of.switch_probability) {
    require(probability >= 0 && probability <= 1, name, "probability", probability, "in [0, 1]");
    require(cut_probability >= 0 && cut_probability <= 1, name, "switch_probability", cut_probability, "in [0, 1]");
    if (of.mixup_alpha == 0) cut_probability = 1;
    if (of.cutmix_alpha == 0) (of.mixup_alpha == 0 ? probability : cut_probability) = 0;
  }
  HONE_HD shared_draw operator()(random_bits const& bits, index row) const noexcept {
    const philox_block b = bits(purpose::choice, std::uint64_t(row));
    if (uniform(b.at[0], b.at[1]) >= probability) return {};
    return uniform(b.at[2], b.at[3]) < cut_probability ? cut(bits, row) : up(bits, row);
  }

 private:
  static constexpr const char* name = "mixup_or_cutmix";
  /// Returns any valid alpha for a disabled method, because nothing is drawn with it.
  static real checked(const char* parameter, double alpha) {
    if (alpha == 0) return 1;
    require_alpha(name, parameter, alpha);
    return alpha;
  }
};

}  // namespace detail

template <class>
mixup_or_cutmix_draw mixup_or_cutmix::draw(integer seed, integer step, integer n, integer height, integer width) const {
  const detail::mixup_or_cutmix_rows rows(*this, n, height, width);
  return detail::drawn<mixup_or_cutmix_draw>(rows, {seed, step}, n, height, width);
}

}  // namespace hone::inline HONE_ABI

#include <hone/core/macros_pop.hpp>
