// SPDX-License-Identifier: MIT
/// Divisors of gradients that are accumulated over micro-batches and over ranks.
#pragma once

#include <hone/distributed/agreement.hpp>
#include <hone/distributed/communicator.hpp>
#include <hone/distributed/exact_sum.hpp>
#include <hone/large_batch/accumulation.hpp>

#include <span>

#include <hone/core/macros_push.hpp>

namespace hone::inline HONE_ABI {

/// hone::accumulation over the micro-batches of all ranks. Each rank adds the counts of its own micro-batches, of which
/// ranks may have different numbers, or none.
///   Σ over ranks and micro-batches of the gradients of hone::sum, times factor = gradient of the mean over all rows
/// Where the trainer averages gradients over its W ranks, the factor is W / Σ counts, otherwise 1 / Σ counts.
///
///     hone::rank_accumulation rows;
///     for (…) {
///       hone::evaluate(cpu, objective, logits, {.gradient = g}, hone::sum);  // then add the parameters' gradients
///       rows.add(hone::count_rows(labels, -100));
///     }
///     const double scale = rows.factor(ranks, hone::rank_gradients::averaged);  // before clipping
struct rank_accumulation {
  exact_sum total;  ///< counted rows of this rank so far, or the sum of their target weights

  /// Adds the count of a micro-batch. Throws hone::invalid_argument if counted is negative or not finite.
  void add(real counted) {
    detail::require(counted >= 0 && detail::finite(counted), "rank_accumulation", "counted", counted,
                    "finite and not negative");
    total.add(counted);
  }

  /// Returns the factor of this rank's summed gradients, the same bits for any cut of the rows into micro-batches and
  /// ranks: divided_by / Σ counts, times the number of ranks if their gradients are averaged; 0 if the sum is 0.
  /// `divided_by` is as in hone::accumulation. One sum over ranks.
  ///
  /// Throws hone::invalid_argument if divided_by is not finite and above 0, and hone::rank_error on all other ranks.
  template <communicator C>
  double factor(C const& ranks, rank_gradients gradients, real divided_by = 1) const {
    std::int64_t words[detail::status_words + detail::exact_words::count];
    detail::sum_or_fail(ranks, "rank_accumulation", words, [&](std::span<std::int64_t> to) {
      detail::require(divided_by > 0 && detail::finite(divided_by), "rank_accumulation", "divided_by", divided_by,
                      "finite and above 0");
      exact_sum part = total;
      part.put(to.data());
    });
    const double all = detail::exact_words::value(words + detail::status_words);
    const double times = gradients == rank_gradients::averaged ? double(ranks.size()) : 1;
    return all > 0 ? times * (divided_by / all) : 0;
  }
};

/// Returns the number of labels of all ranks that are not `ignore`. One sum over ranks.
template <std::ranges::input_range Labels, communicator C>
  requires std::integral<std::ranges::range_value_t<Labels>>
index count_rows(Labels const& labels, std::integral auto ignore, C const& ranks) {
  std::int64_t count[] = {count_rows(labels, ignore)};
  ranks.sum(std::span<std::int64_t>(count));
  return count[0];
}

/// Returns the factor of the gradient of a micro-batch's mean in that of the mean over the micro-batches of all ranks:
/// counted / total, where `total` is the count of all ranks; times the number of ranks if their gradients are averaged.
/// For the value, micro_batch_share(counted, total) is the factor. No sum over ranks. Throws as micro_batch_share.
template <communicator C>
double micro_batch_share(real counted, real total, C const& ranks, rank_gradients gradients) {
  const double share = micro_batch_share(counted, total);
  return gradients == rank_gradients::averaged ? double(ranks.size()) * share : share;
}

}  // namespace hone::inline HONE_ABI

#include <hone/core/macros_pop.hpp>
