// SPDX-License-Identifier: MIT
/// Gradients of micro-batches that add up to the gradient of one large batch.
#pragma once

#include <hone/core/error.hpp>
#include <hone/core/number.hpp>

#include <concepts>
#include <span>  // and the concepts of ranges; <ranges> would take longer to read

#include <hone/core/macros_push.hpp>

namespace hone::inline HONE_ABI {

/// Returns the number of labels that are not `ignore`: the rows that hone::mean divides by.
template <std::ranges::input_range Labels>
  requires std::integral<std::ranges::range_value_t<Labels>>
constexpr index count_rows(Labels const& labels, std::integral auto ignore) {
  index count = 0;
  for (const auto label : labels) count += static_cast<index>(label) != static_cast<index>(ignore);
  return count;
}

/// Returns the factor of a micro-batch's mean in the mean of the whole batch: counted / total.
///   Σ over micro-batches of (counted / total) · mean of the micro-batch = mean of the whole batch
/// The mean of the means of k micro-batches, each with factor 1/k, is another number if their numbers of rows differ.
/// Returns 0 if total is 0.
///
/// Throws hone::invalid_argument if total is not finite or negative, or counted is outside [0, total].
inline double micro_batch_share(real counted, real total) {
  detail::require(total >= 0 && detail::finite(total), "micro_batch_share", "total", total, "finite and not negative");
  detail::require(counted >= 0 && counted <= total, "micro_batch_share", "counted", counted, "in [0, total]");
  return total > 0 ? counted / total : 0;
}

/// Accumulates the divisor of sums of gradients, if it is known only after the last micro-batch. The caller owns,
/// copies and saves it.
///   Σ gradients of hone::sum · factor() = gradient of the mean over all rows
/// If the total M is known before, no accumulation is needed: use hone::mean_over(M) in every micro-batch, and add the
/// gradients unchanged.
///
///     hone::accumulation rows;
///     for (…) {
///       hone::evaluate(cpu, objective, logits, {.gradient = g}, hone::sum);  // then add the parameters' gradients
///       rows.add(hone::count_rows(labels, -100));
///     }
///     const double scale = rows.factor();  // on the summed gradients, before clipping
struct accumulation {
  double total = 0;  ///< counted rows so far, or the sum of their target weights

  /// Adds the count of a micro-batch. Throws hone::invalid_argument if counted is negative or not finite.
  void add(real counted) {
    detail::require(counted >= 0 && detail::finite(counted), "accumulation", "counted", counted,
                    "finite and not negative");
    total += counted;
  }

  /// Returns the factor of the summed gradients: divided_by / total; 0 if total is 0. `divided_by` is the count of a
  /// mean_over that was used in place of the unknown total, so that 16-bit sums stay small.
  ///
  /// Throws hone::invalid_argument if divided_by is not finite and above 0.
  double factor(real divided_by = 1) const {
    detail::require(divided_by > 0 && detail::finite(divided_by), "accumulation", "divided_by", divided_by,
                    "finite and above 0");
    return total > 0 ? divided_by / total : 0;
  }
};

}  // namespace hone::inline HONE_ABI

#include <hone/core/macros_pop.hpp>
