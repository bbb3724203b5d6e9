// SPDX-License-Identifier: MIT
/// Drop block (Ghiasi et al. 2018, arXiv 1810.12890): squares of a plane are dropped together.
#pragma once

#include <hone/sample/philox.hpp>
#include <hone/structure/pool.hpp>

#include <algorithm>
#include <span>

#include <hone/core/macros_push.hpp>

namespace hone::inline HONE_ABI {

/// Every position at which a block lies inside the plane begins a dropped block with probability gamma. In evaluation
/// leave the mask out.
struct drop_block {
  real rate = 0;              ///< in [0, 1]; 1 drops every number
  integer size = 7;           ///< of the blocks, at least 1; no more than the plane's height and width is used of it
  bool shared = false;        ///< one mask for all channels of a sample; false: one for each, as in the paper
  bool scale_by_kept = true;  ///< multiplies a sample by its numbers over its kept numbers, as in the paper

  /// Returns the blocks of a plane, height and width: size, cut to the plane.
  constexpr plane_size block(plane_size of) const noexcept {
    return {std::min<index>(size.value, of.height), std::min<index>(size.value, of.width)};
  }
  /// Returns the probability rate / (block height · block width) · H W / ((H - block height + 1) (W - block width +
  /// 1)), at most 1: equation 1 of the paper. It is 1 for a rate of 1.
  double gamma(plane_size of) const noexcept {
    if (rate.value >= 1) return 1;
    const plane_size b = block(of);
    const auto area = [](index height, index width) {
      return static_cast<double>(height) * static_cast<double>(width);
    };
    return std::min(1.0, rate.value / area(b.height, b.width) * area(of.height, of.width) /
                             area(of.height - b.height + 1, of.width - b.width + 1));
  }
};

namespace detail {

/// The draws of one plane: bit 0 of a position is 1 if a block begins there. Pure functions of seed, step, branch,
/// sample, channel and position. The first words are those of the sample, and are the key of its planes.
struct block_draws {
  philox_block key;
  std::uint32_t channel;
  std::uint64_t below;  // gamma · 2^32

  HONE_HD constexpr block_draws(random_bits const& bits, index branch, index image, index channel_,
                                std::uint64_t below_)
      : key(bits(purpose::block, static_cast<std::uint64_t>(image), static_cast<std::uint32_t>(branch))),
        channel(static_cast<std::uint32_t>(channel_)),
        below(below_) {}

  /// Returns four words for the positions 4 group to 4 group + 3.
  HONE_HD constexpr philox_block words(std::uint32_t group) const noexcept {
    return philox({{group, channel, key.at[2], key.at[3]}}, key.at[0], key.at[1]);
  }
  HONE_HD constexpr bool begins(std::uint32_t word) const noexcept { return word < below; }
};
inline std::uint64_t threshold_of(double gamma) noexcept { return static_cast<std::uint64_t>(gamma * 0x1p32); }

template <class A>
void require_draw_blocks(drop_block const& policy, integer branch, plane_size size, image_view<std::uint8_t> mask,
                         std::span<A> factors) {
  constexpr const char* function = "draw_blocks";
  require(policy.rate.value >= 0 && policy.rate.value <= 1, function, "rate", policy.rate.value, "in [0, 1]");
  require(policy.size.value >= 1, function, "size", policy.size.value, "at least 1");
  require(branch.value >= 0 && branch.value < index(1) << 24, function, "branch", branch.value, "in [0, 2^24)");
  require_length(function, "height", size.height);
  require_length(function, "width", size.width);
  require_valid(mask, "mask", function);
  require_plane_size(function, "mask", mask, size);
  require(mask.pixels < index(1) << 34, function, "the pixels of a plane", mask.pixels, "less than 2^34");
  require(mask.images < index(1) << 32, function, "the samples", mask.images, "less than 2^32");
  require(mask.channels < index(1) << 32, function, "the channels", mask.channels, "less than 2^32");
  if (policy.shared && mask.channels != 1)
    fail("%s: mask has %jd channels, must have 1 if the channels share it", function, std::intmax_t(mask.channels));
  if (static_cast<index>(factors.size()) != mask.images)
    fail("%s: factors has %zu numbers for %jd samples", function, factors.size(), std::intmax_t(mask.images));
  require_apart(function, "factors", footprint_of(factors), "mask", footprint_of(mask));
}

/// The checks of drop_blocks: y may be x.
template <class T, class A>
void require_drop_blocks(image_view<const T> x, image_view<const std::uint8_t> mask, std::span<const A> factors,
                         image_view<T> y) {
  constexpr const char* function = "drop_blocks";
  require_valid(x, "x", function);
  require_valid(mask, "mask", function);
  require_like_planes(function, "y", y, "x", x);
  if (mask.images != x.images || mask.pixels != x.pixels || (mask.channels != x.channels && mask.channels != 1))
    fail("%s: mask is %jd x %jd x %jd, x is %jd x %jd x %jd", function, std::intmax_t(mask.images),
         std::intmax_t(mask.channels), std::intmax_t(mask.pixels), std::intmax_t(x.images), std::intmax_t(x.channels),
         std::intmax_t(x.pixels));
  if (static_cast<index>(factors.size()) != x.images)
    fail("%s: factors has %zu numbers for %jd samples", function, factors.size(), std::intmax_t(x.images));
  require_same_or_apart(function, "y", footprint_of(y), "x", footprint_of(x));
  require_apart(function, "y", footprint_of(y), "mask", footprint_of(mask));
  require_apart(function, "y", footprint_of(y), "factors", footprint_of(factors));
}

}  // namespace detail
}  // namespace hone::inline HONE_ABI

#include <hone/core/macros_pop.hpp>
