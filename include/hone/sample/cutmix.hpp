// SPDX-License-Identifier: MIT
/// Cutmix: pastes a box of another image into every image (Yun et al. 2019, arXiv 1905.04899).
#pragma once

#include <hone/sample/beta.hpp>
#include <hone/sample/draw.hpp>

#include <hone/core/macros_push.hpp>

namespace hone::inline HONE_ABI {

/// Boxes with sides √(1-λ) of the image's, λ ~ Beta(α, α), around a uniform centre, clipped to the image. If `least`
/// and `most` are given, each side is uniform between these fractions of the image's side, and boxes lie inside the
/// image. A draw depends only on the arguments of draw().
struct cutmix {
  real alpha = 1;  ///< finite and positive
  mixing_unit per = sample;
  partners with = partners::others;  ///< ignored if per is pair
  optional_real least = {};          ///< both or neither, 0 <= least <= most <= 1
  optional_real most = {};
  bool correct = true;  ///< true: λ = 1 - box area / image area; false: λ stays as it was drawn

  /// Draws λ, partner and box of n images for one training step. Throws hone::invalid_argument for invalid values.
  HONE_IF_CALLED
  cutmix_draw draw(integer seed, integer step, integer n, integer height, integer width) const;
};

namespace detail {

/// Draws the box of a row from its λ.
struct cut_box {
  index height, width;
  bool ranged;
  double minimum, maximum;

  HONE_HD pixel_box operator()(random_bits const& bits, index row, double lambda) const noexcept {
    const philox_block b = bits(purpose::box, std::uint64_t(row)), c = bits(purpose::box, std::uint64_t(row), 1);
    if (ranged) {
      const double spread = maximum - minimum;
      const index h = part(height, std::fma(spread, uniform(b.at[0], b.at[1]), minimum)),
                  w = part(width, std::fma(spread, uniform(b.at[2], b.at[3]), minimum)),
                  y = uniform_below(height - h + 1, c.at[0], c.at[1]),
                  x = uniform_below(width - w + 1, c.at[2], c.at[3]);
      return {x, y, x + w, y + h};
    }
    const double side = std::sqrt(1 - lambda);
    const index h = part(height, side), w = part(width, side), y = uniform_below(height, b.at[0], b.at[1]) - h / 2,
                x = uniform_below(width, b.at[2], b.at[3]) - w / 2;
    return {clipped(x, width), clipped(y, height), clipped(x + w, width), clipped(y + h, height)};
  }
  HONE_HD float lambda_of(pixel_box box) const noexcept {
    return static_cast<float>(1 - static_cast<double>(box.area()) / static_cast<double>(height * width));
  }

 private:
  HONE_HD static index part(index of, double share) noexcept {
    return static_cast<index>(static_cast<double>(of) * share);
  }
  HONE_HD static index clipped(index x, index end) noexcept { return x < 0 ? 0 : x > end ? end : x; }
};

/// Draws single rows of a cutmix, in any order, on the host and on a device.
struct cutmix_rows {
  symmetric_beta beta;
  mixing_unit per;
  partners with;
  cut_box cut;
  bool correct;

  cutmix_rows(cutmix const& of, index n, index height, index width)
      : beta(of.alpha),
        per(of.per),
        with(of.with),
        cut{height, width, of.least.has_value, of.least.value, of.most.value},
        correct(of.correct) {
    require_alpha("cutmix", "alpha", of.alpha);
    if (of.least.has_value != of.most.has_value) fail("cutmix: least and most must be given both, or neither");
    require(cut.minimum >= 0 && cut.minimum <= 1, "cutmix", "least", cut.minimum, "in [0, 1]");
    require(cut.maximum >= cut.minimum && cut.maximum <= 1, "cutmix", "most", cut.maximum, "in [least, 1]");
    require_rows("cutmix", n);
    require_image("cutmix", height, width);
  }
  HONE_HD shared_draw operator()(random_bits const& bits, index row) const noexcept {
    const double lambda = beta(bits, std::uint64_t(row));
    const pixel_box box = cut(bits, row, lambda);
    return {correct ? cut.lambda_of(box) : same_float(lambda), box, true};
  }
};

}  // namespace detail

template <class>
cutmix_draw cutmix::draw(integer seed, integer step, integer n, integer height, integer width) const {
  const detail::cutmix_rows rows(*this, n, height, width);
  return detail::drawn<cutmix_draw>(rows, {seed, step}, n, height, width);
}

}  // namespace hone::inline HONE_ABI

#include <hone/core/macros_pop.hpp>
