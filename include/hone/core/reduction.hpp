// SPDX-License-Identifier: MIT
/// How rows (or elements) become one number.
#pragma once

#include <hone/core/config.hpp>
#include <hone/core/error.hpp>

#include <hone/core/macros_push.hpp>

namespace hone::inline HONE_ABI {

struct reduction {
  enum class kind : unsigned char { mean, sum, mean_over, batch_mean, element_mean };

  kind how = kind::mean;
  double count = 1;  ///< what mean_over divides by
};

/// Each term divides by what it counts: rows or elements that are not ignored, or their target weights.
inline constexpr reduction mean{reduction::kind::mean, 1};
inline constexpr reduction sum{reduction::kind::sum, 1};

/// The means by the names that others give them: over the rows that count, whatever a term is made of (PyTorch's
/// "batchmean"), and over the elements of these rows (PyTorch's "mean" of an element-wise loss, its KLDivLoss too).
/// A term of rows under mean has the first, a term of elements the second; a box is one element.
inline constexpr reduction batch_mean{reduction::kind::batch_mean, 1};
inline constexpr reduction element_mean{reduction::kind::element_mean, 1};

/// The sum divided by a count of the caller's, say the positives of a detection batch. Over 0 the value and
/// the gradient are 0. Throws where count is negative or not finite.
inline reduction mean_over(real count) {
  detail::require(count.value >= 0 && detail::finite(count.value), "mean_over", "count", count.value,
                  "finite and not negative");
  return {reduction::kind::mean_over, count.value};
}

namespace detail {

/// What a term of this divisor under a mean is multiplied by; 0 where there is nothing to average.
HONE_HD inline double factor_of(reduction r, double divisor) noexcept {
  if (r.how == reduction::kind::sum) return 1;
  const double count = r.how == reduction::kind::mean_over ? r.count : divisor;
  return count > 0 ? 1 / count : 0;
}

/// Whether it divides by what a term counts.
HONE_HD inline bool is_mean(reduction r) noexcept {
  return r.how != reduction::kind::sum && r.how != reduction::kind::mean_over;
}
/// What a row counts for, in a sum of terms of elements or of rows.
HONE_HD inline index count_of_row(reduction r, bool of_elements, index columns) noexcept {
  if (r.how == reduction::kind::batch_mean) return 1;
  return of_elements || r.how == reduction::kind::element_mean ? columns : 1;
}

}  // namespace detail
}  // namespace hone::inline HONE_ABI

#include <hone/core/macros_pop.hpp>
