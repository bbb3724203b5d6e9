// SPDX-License-Identifier: MIT
/// Drop path: stochastic depth (Huang et al. 2016, arXiv 1603.09382), per sample.
#pragma once

#include <hone/core/error.hpp>
#include <hone/core/number.hpp>
#include <hone/sample/philox.hpp>

#include <cstdint>
#include <span>

#include <hone/core/macros_push.hpp>

namespace hone::inline HONE_ABI {

/// A residual branch is dropped with probability `rate`, for each sample alone. In evaluation leave the factors out.
struct drop_path {
  real rate = 0;              ///< in [0, 1]
  bool scale_by_keep = true;  ///< divides by 1 - rate what is kept, as timm does; NFNets do not

  /// Writes the factor of every sample's branch: 0, or 1 / (1 - rate). A pure function of its arguments: samples below
  /// 2^32 and branches below 2^24, the number of the block, do not share draws. Throws hone::invalid_argument if one is
  /// out of range.
  template <class A>
  void draw(integer seed, integer step, integer branch, std::span<A> factors) const;
};

namespace detail {

/// The factors of one draw, checked.
template <class A>
struct path_factors {
  static_assert(element<A>, "drop_path: factors must be of float, double or a 16-bit type");

  std::uint32_t branch;
  double rate;
  A kept;

  path_factors(drop_path const& policy, integer branch_, std::size_t samples)
      : branch(static_cast<std::uint32_t>(branch_.value)), rate(policy.rate.value) {
    constexpr const char* function = "drop_path";
    require(rate >= 0 && rate <= 1, function, "rate", rate, "in [0, 1]");
    require(branch_.value >= 0 && branch_.value < index(1) << 24, function, "branch", branch_.value, "in [0, 2^24)");
    require(samples <= std::size_t(1) << 32, function, "factors", samples, "at most 2^32");
    kept = static_cast<A>(policy.scale_by_keep && rate < 1 ? 1 / (1 - rate) : 1);
  }
  HONE_HD A operator()(random_bits const& bits, std::uint64_t sample) const {
    const philox_block block = bits(purpose::path, sample, branch);
    return uniform(block.at[0], block.at[1]) < rate ? A(0) : kept;
  }
};

}  // namespace detail

template <class A>
void drop_path::draw(integer seed, integer step, integer branch, std::span<A> factors) const {
  const detail::path_factors<A> factor(*this, branch, factors.size());
  const detail::random_bits bits(seed, step);
  for (std::size_t i = 0; i < factors.size(); ++i) factors[i] = factor(bits, i);
}

/// Returns the rate of a block: rising linearly from 0 at the first block to `rate` at the last, as in the paper.
inline double drop_path_rate(real rate, integer block, integer blocks) {
  constexpr const char* function = "drop_path_rate";
  detail::require(rate.value >= 0 && rate.value <= 1, function, "rate", rate.value, "in [0, 1]");
  detail::require(blocks.value >= 1, function, "blocks", blocks.value, "at least 1");
  detail::require(block.value >= 0 && block.value < blocks.value, function, "block", block.value, "in [0, blocks)");
  return blocks.value == 1 ? 0 : rate.value * static_cast<double>(block.value) / static_cast<double>(blocks.value - 1);
}

}  // namespace hone::inline HONE_ABI

#include <hone/core/macros_pop.hpp>
