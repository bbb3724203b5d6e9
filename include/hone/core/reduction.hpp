// SPDX-License-Identifier: MIT
/// Reductions: how the losses of rows or elements become one number.
#pragma once

#include <hone/core/config.hpp>
#include <hone/core/error.hpp>

#include <hone/core/macros_push.hpp>

namespace hone::inline HONE_ABI {

struct reduction {
  enum class kind : unsigned char { mean, sum, mean_over, batch_mean, element_mean };

  kind how = kind::mean;
  double count = 1;  ///< the divisor of mean_over
};

/// mean divides each term by its number of rows or elements that are not ignored, or by the sum of target weights.
inline constexpr reduction mean{reduction::kind::mean, 1};
inline constexpr reduction sum{reduction::kind::sum, 1};

/// Two explicit means. batch_mean divides by the rows that count, for every term (PyTorch's "batchmean"). element_mean
/// divides by the elements of these rows (PyTorch's "mean" of an element-wise loss, also of its KLDivLoss). Under mean,
/// a row term uses the first and an element-wise term the second; a box counts as one element.
inline constexpr reduction batch_mean{reduction::kind::batch_mean, 1};
inline constexpr reduction element_mean{reduction::kind::element_mean, 1};

/// Divides the sum by a count that the caller supplies, such as the positives of a detection batch. If count is 0, the
/// value and the gradient are 0. Throws hone::invalid_argument if count is negative or not finite.
inline reduction mean_over(real count) {
  detail::require(count.value >= 0 && detail::finite(count.value), "mean_over", "count", count.value,
                  "finite and not negative");
  return {reduction::kind::mean_over, count.value};
}

namespace detail {

/// Returns the factor that a reduction applies to a term with this divisor; 0 if there is nothing to average.
HONE_HD inline double factor_of(reduction r, double divisor) noexcept {
  if (r.how == reduction::kind::sum) return 1;
  const double count = r.how == reduction::kind::mean_over ? r.count : divisor;
  return count > 0 ? 1 / count : 0;
}

/// Returns true if the reduction divides by the divisor of each term.
HONE_HD inline bool is_mean(reduction r) noexcept {
  return r.how != reduction::kind::sum && r.how != reduction::kind::mean_over;
}
/// Returns what one row adds to the divisor of a term of elements or of rows.
HONE_HD inline index count_of_row(reduction r, bool of_elements, index columns) noexcept {
  if (r.how == reduction::kind::batch_mean) return 1;
  return of_elements || r.how == reduction::kind::element_mean ? columns : 1;
}

}  // namespace detail
}  // namespace hone::inline HONE_ABI

#include <hone/core/macros_pop.hpp>
