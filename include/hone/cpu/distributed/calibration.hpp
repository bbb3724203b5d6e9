// SPDX-License-Identifier: MIT
/// Calibration over the rows of all ranks, on the CPU.
#pragma once

#include <hone/cpu/calibration/reliability.hpp>
#include <hone/cpu/calibration/temperature.hpp>
#include <hone/distributed/merge_reliability.hpp>

#include <vector>

#include <hone/core/macros_push.hpp>

namespace hone::inline HONE_ABI {

namespace on_cpu {

/// Returns the mean likelihood of the rows of all ranks at β, row by row in an exact sum.
template <class C, class View, class Label>
detail::likelihood likelihood_over_ranks(cpu const& backend, C const& ranks, View logits,
                                         classes_target<Label> const& labels, double beta, double counted,
                                         std::vector<detail::likelihood>& rows) {
  rows.assign(rows.size(), {});
  for_labelled_rows(backend, logits, labels, [&](index, index i, logit_row& row) {
    rows[static_cast<std::size_t>(i)] = likelihood_of(row, labels.label(i), beta);
  });
  exact_sum sums[3];
  for (detail::likelihood const& row : rows) sums[0].add(row.value), sums[1].add(row.first), sums[2].add(row.second);
  std::int64_t words[3 * detail::exact_words::count];
  for (std::size_t k = 0; k < 3; ++k) sums[k].put(words + k * detail::exact_words::count);
  ranks.sum(std::span<std::int64_t>(words));
  const auto value = [&](std::size_t k) { return detail::exact_words::value(words + k * detail::exact_words::count); };
  const detail::likelihood total{value(0), value(1), value(2)};
  return counted > 0 ? total.over(counted) : total;
}

}  // namespace on_cpu

/// Returns the reliability diagram of the rows of all ranks, with the same bits for every cut of the rows over any
/// number of ranks. A rank without rows takes part. Sums are rounded once, so they may differ in their last bits from
/// those of hone::reliability without ranks.
///
///     const hone::reliability_diagram d = hone::reliability(cpu, ranks, logits, labels, {.bins = 15});
///
/// Sums 584 bytes a bin over ranks. Bins of equal mass are refused: their edges follow from the sorted confidences of
/// all rows. If an argument of one rank is not valid, or the ranks differ in their options, all throw.
template <communicator C, class Logits, class Labels>
reliability_diagram reliability(cpu const& backend, C const& ranks, Logits const& logits, Labels const& labels,
                                reliability_options options = {}) {
  constexpr const char* function = "reliability";
  std::vector<on_cpu::row_answer> answers;
  reliability_diagram d;
  const bool same = detail::same_on_ranks(ranks, function, [&] {
    const auto rows = detail::labelled(function, logits, labels);
    detail::require_bins(function, options.bins, options.temperature);
    if (options.equal_mass) detail::fail("reliability: bins of equal mass need the rows of all ranks at one place");
    d.bins = detail::bins_of_equal_width(options.bins);
    answers = on_cpu::answers(backend, rows.logits, rows.labels, options.temperature);
    detail::checksum64 checksum;
    checksum.add(static_cast<std::uint64_t>(options.bins.value));
    checksum.add(__builtin_bit_cast(std::uint64_t, options.temperature.value));
    return checksum.value();
  });
  if (!same) detail::fail("reliability: bins or temperature differ between ranks");
  detail::exact_diagram all(d.bins.size());
  for (on_cpu::row_answer const& a : answers) {
    using kind = on_cpu::row_answer::kind;
    if (a.is == kind::undefined) all.undefined(1);
    if (a.is < kind::wrong) continue;
    all.rows(detail::bin_of(d.bins, a.confidence), 1, a.is == kind::right, a.confidence);
    all.losses(a.loss, a.brier);
  }
  all.sum_to(ranks, d);
  return d;
}

/// Returns the temperature of the rows of all ranks, as hone::fit_temperature does of those of one process; it has the
/// same bits for every cut of the rows over any number of ranks. A rank without rows takes part. Every step sums 1704
/// bytes over ranks. If an argument of one rank is not valid, or the ranks differ in their options, all throw.
///
///     const hone::temperature_fit fit = hone::fit_temperature(cpu, ranks, logits, labels);
template <communicator C, class Logits, class Labels>
temperature_fit fit_temperature(cpu const& backend, C const& ranks, Logits const& logits, Labels const& labels,
                                temperature_options options = {}) {
  constexpr const char* function = "fit_temperature";
  std::vector<detail::likelihood> each;
  std::int64_t counted = 0;
  const bool same = detail::same_on_ranks(ranks, function, [&] {
    const auto rows = detail::labelled(function, logits, labels);
    detail::require_bounds(function, options);
    for (index i = 0; i < rows.labels.size; ++i) counted += !rows.labels.ignores(i);
    each.resize(static_cast<std::size_t>(rows.labels.size));
    detail::checksum64 checksum;
    checksum.add(__builtin_bit_cast(std::uint64_t, options.least.value));
    checksum.add(__builtin_bit_cast(std::uint64_t, options.most.value));
    return checksum.value();
  });
  if (!same) detail::fail("fit_temperature: least or most differ between ranks");
  ranks.sum(std::span<std::int64_t>(&counted, 1));
  const auto view = detail::to_be_read(logits);
  const auto classes = detail::classes_of(labels);
  return detail::minimize_loss(
      [&](double beta) {
        return on_cpu::likelihood_over_ranks(backend, ranks, view, classes, beta, static_cast<double>(counted), each);
      },
      options);
}

}  // namespace hone::inline HONE_ABI

#include <hone/core/macros_pop.hpp>
