// SPDX-License-Identifier: MIT
/// Random numbers from the symmetric Beta distribution, the λ of mixup.
#pragma once

#include <hone/core/error.hpp>
#include <hone/sample/elementary.hpp>
#include <hone/sample/philox.hpp>

#include <hone/core/macros_push.hpp>

namespace hone::inline HONE_ABI::detail {

/// Draws from Beta(α, α) by rejection: exact for every α, with the same bits on every machine. λ is computed as the
/// logistic function of a difference of logarithms, so that no α is too small.
class symmetric_beta {
 public:
  explicit symmetric_beta(double alpha) noexcept
      : alpha_(alpha), inverse_(1 / alpha), root_(std::sqrt(alpha)), inverse_root_(1 / root_) {}

  /// Returns λ of a row. Each attempt takes new bits; there are fewer than 2 on average.
  HONE_HD double operator()(random_bits const& bits, std::uint64_t row) const noexcept {
    double logit = 0;
    for (std::uint32_t attempt = 0; attempt < 256; ++attempt) {  // all fail with probability 2^-256
      const philox_block b = bits(purpose::lambda, row, attempt);
      const double u = uniform(b.at[0], b.at[1]), v = uniform(b.at[2], b.at[3]);
      if (alpha_ <= 1 ? johnk(u, v, logit) : cheng(u, v, logit)) break;
    }
    return 1 / (1 + same_exp(-logit));
  }

 private:
  /// Jöhnk 1964: accepts X = u^(1/α) and Y = v^(1/α) if X + Y <= 1; λ is then X / (X + Y).
  HONE_HD bool johnk(double u, double v, double& logit) const noexcept {
    const double x = same_log(u), y = same_log(v);
    logit = (x - y) * inverse_;
    return same_exp(x * inverse_) + same_exp(y * inverse_) <= 1;
  }
  /// Cheng 1978, algorithm BB, without its squeezes: for α > 1.
  HONE_HD bool cheng(double u, double v, double& logit) const noexcept {
    logit = (same_log(u) - same_log(1 - u)) * inverse_root_;
    const double ratio = std::fma(alpha_ + root_, logit, -2 * same_log(2)),
                 bound = std::fma(2 * alpha_, same_log(2 / (1 + same_exp(logit))), ratio);
    return bound >= std::fma(2.0, same_log(u), same_log(v));
  }

  double alpha_, inverse_, root_, inverse_root_;
};

}  // namespace hone::inline HONE_ABI::detail

#include <hone/core/macros_pop.hpp>
