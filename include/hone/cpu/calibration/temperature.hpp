// SPDX-License-Identifier: MIT
/// Temperature scaling on the CPU: the likelihood as a function of 1/T. Each step reads the logits once.
#pragma once

#include <hone/calibration/labels.hpp>
#include <hone/calibration/temperature.hpp>
#include <hone/cpu/calibration/logit_row.hpp>
#include <hone/cpu/run/chunks.hpp>

#include <algorithm>
#include <cmath>

#include <hone/core/macros_push.hpp>

namespace hone::inline HONE_ABI {

namespace on_cpu {

/// Returns the negative log-likelihood of a row and its derivatives at β, with d = z - max z and p = softmax(β d):
///   value  log Σ exp(β d) - β d_y        first  Σ p d - d_y        second  Σ p d² - (Σ p d)²
/// If the label has the largest logit, d_y is 0, so that even the smallest derivative keeps its digits and its sign.
inline detail::likelihood likelihood_of(logit_row& row, index label, double beta) noexcept {
  using V = pack<double>;
  const double d = row[label], own = std::exp(beta * d);
  row.set(label, -std::numeric_limits<double>::infinity());  // the sums are those of the other classes
  V sums(0), first(0), second(0);
  row.for_packs([&](double const* at) {
    const V x = V::load(at), e = exp_of_nonpositive(x * V(beta));
    const V weighed = zero_where(e == V(0), e * x);  // x may be -inf there
    sums += e;
    first += weighed;
    second += zero_where(e == V(0), weighed * x);
  });
  const double others = sum(sums), all = others + own;
  const double mean = (sum(first) + own * d) / all, square = (sum(second) + own * d * d) / all;
  return {label_loss(beta * d, others, all), mean - d, std::max(square - mean * mean, 0.0)};
}

template <class View, class Label>
detail::likelihood mean_likelihood(cpu const& backend, View logits, classes_target<Label> const& labels, double beta,
                                   double counted) {
  detail::likelihood sums[max_chunks];
  for_labelled_rows(backend, logits, labels, [&](index chunk, index i, logit_row& row) {
    sums[chunk].add(likelihood_of(row, labels.label(i), beta));
  });
  detail::likelihood total;
  for (detail::likelihood const& sum : sums) total.add(sum);
  return counted > 0 ? total.over(counted) : total;
}

}  // namespace on_cpu

/// Returns the temperature at which softmax(z / T) has the smallest mean negative log-likelihood on labelled rows that
/// were not used in training:
///
///     const hone::temperature_fit fit = hone::fit_temperature(cpu, logits, labels);
///     hone::reliability(cpu, test_logits, test_labels, {.temperature = fit.temperature});
///
/// The negative log-likelihood is convex in 1/T. If it decreases up to a bound, T is the bound: `.least` if every row
/// is right, `.most` if the logits are worse than no information about the labels. If all temperatures are equally
/// good, for no rows or for logits that are equal within every row, T is 1 or the bound nearest to 1. The same holds if
/// the likelihood is NaN or infinite at 1: NaN or +inf in a row, a row of -inf, a label's logit of -inf. Labels as in
/// reliability. Throws hone::invalid_argument if a shape, a label or an option is not valid.
template <class Logits, class Labels>
temperature_fit fit_temperature(cpu const& backend, Logits const& logits, Labels const& labels,
                                temperature_options options = {}) {
  const auto rows = detail::labelled("fit_temperature", logits, labels);
  detail::require_bounds("fit_temperature", options);
  const double counted =
      on_cpu::count_rows(rows.labels.size, rows.labels.ignoring(), [&](index i) { return rows.labels.ignores(i); });
  return detail::minimize_loss(
      [&](double beta) { return on_cpu::mean_likelihood(backend, rows.logits, rows.labels, beta, counted); }, options);
}

}  // namespace hone::inline HONE_ABI

#include <hone/core/macros_pop.hpp>
