// SPDX-License-Identifier: MIT
/// How rows (or elements) become one number.
#pragma once

#include <hone/core/config.hpp>
#include <hone/core/error.hpp>

namespace hone {

struct reduction {
  enum class kind : unsigned char { mean, sum, mean_over };

  kind how = kind::mean;
  double count = 1;  ///< what mean_over divides by
};

/// Each term divides by what it counts: rows or elements that are not ignored, or their target weights.
inline constexpr reduction mean{reduction::kind::mean, 1};
inline constexpr reduction sum{reduction::kind::sum, 1};

/// The sum divided by a count of the caller's, say the positives of a detection batch. Over 0 the value and
/// the gradient are 0. Throws where count is negative or not finite.
inline reduction mean_over(real count) {
  detail::require(count.value >= 0 && detail::finite(count.value), "mean_over", "count", count.value,
                  "finite and not negative");
  return {reduction::kind::mean_over, count.value};
}

namespace detail {

/// What a term of this divisor under mean is multiplied by; 0 where there is nothing to average.
HONE_HD inline double factor_of(reduction r, double divisor) noexcept {
  if (r.how == reduction::kind::sum) return 1;
  const double count = r.how == reduction::kind::mean ? divisor : r.count;
  return count > 0 ? 1 / count : 0;
}

}  // namespace detail
}  // namespace hone
