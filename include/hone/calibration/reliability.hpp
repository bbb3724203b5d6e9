// SPDX-License-Identifier: MIT
/// The difference between a classifier's confidence and its accuracy: the data of a reliability diagram and the
/// measures computed from it.
#pragma once

#include <hone/core/error.hpp>
#include <hone/core/number.hpp>

#include <cmath>
#include <limits>
#include <vector>

#include <hone/core/macros_push.hpp>

namespace hone::inline HONE_ABI {

struct reliability_options {
  integer bins = 15;        ///< in [1, 2^20]
  real temperature = 1;     ///< divides the logits; finite and positive, and its inverse finite
  bool equal_mass = false;  ///< bins of equal row counts instead of equal width
};

/// The rows whose confidence, the largest probability, is in (lower, upper].
struct reliability_bin {
  double lower = 0, upper = 1;
  index count = 0, correct = 0;  ///< number of rows; of rows whose first largest logit is the label's
  double confidence_sum = 0;     ///< sum of the confidences, in the order of the rows

  double mean_confidence() const noexcept { return count > 0 ? confidence_sum / static_cast<double>(count) : 0; }
  double accuracy() const noexcept { return count > 0 ? static_cast<double>(correct) / static_cast<double>(count) : 0; }
  /// Returns |accuracy - mean confidence|, or 0 for an empty bin.
  double gap() const noexcept { return std::abs(accuracy() - mean_confidence()); }
};

/// Counts and sums over rows. Every measure is a quotient of them, so that batches can be added. Without rows, measures
/// are 0. A row is undefined if its softmax is: a logit is NaN or +inf, or all are -inf. An undefined row is in no bin
/// and counts as wrong; then all measures except accuracy are NaN.
struct reliability_diagram {
  std::vector<reliability_bin> bins;  ///< by rising edges, from 0 to 1
  index undefined = 0;                ///< number of undefined rows
  double loss_sum = 0;                ///< sum of -log p(label)
  double brier_sum = 0;               ///< sum of Σ (p - [class is the label])² over the classes
  bool equal_mass = false;

  /// Returns the number of rows that are not ignored.
  index count() const noexcept {
    index n = undefined;
    for (reliability_bin const& b : bins) n += b.count;
    return n;
  }
  double accuracy() const noexcept {
    index correct = 0;
    for (reliability_bin const& b : bins) correct += b.correct;
    return count() > 0 ? static_cast<double>(correct) / static_cast<double>(count()) : 0;
  }
  double mean_confidence() const noexcept {
    double total = 0;
    for (reliability_bin const& b : bins) total += b.confidence_sum;
    return mean(total);
  }
  /// Σ count/n |accuracy - confidence| over the bins (ECE; Naeini et al. 2015, Guo et al. 2017, arXiv 1706.04599).
  double expected_calibration_error() const noexcept {
    double total = 0;
    for (reliability_bin const& b : bins) total += std::abs(static_cast<double>(b.correct) - b.confidence_sum);
    return mean(total);
  }
  /// Returns the largest |accuracy - confidence| of a bin (MCE).
  double maximum_calibration_error() const noexcept {
    double maximum = 0;
    for (reliability_bin const& b : bins)
      if (b.gap() > maximum) maximum = b.gap();
    return undefined > 0 ? std::numeric_limits<double>::quiet_NaN() : maximum;
  }
  /// Returns the mean of -log p(label); infinite if a label's logit is -inf.
  double negative_log_likelihood() const noexcept { return mean(loss_sum); }
  /// Returns the mean of Σ (p - [class is the label])² over the classes, in [0, 2] (Brier 1950).
  double brier_score() const noexcept { return mean(brier_sum); }

  /// Adds the rows of another batch. A diagram without bins copies the bins of the first one added. Throws
  /// hone::invalid_argument if the edges differ, or if either diagram has bins of equal mass.
  HONE_IF_CALLED
  void add(reliability_diagram const& other);

 private:
  double mean(double total) const noexcept {
    if (undefined > 0) return std::numeric_limits<double>::quiet_NaN();
    return count() > 0 ? total / static_cast<double>(count()) : 0;
  }
};

template <class>
void reliability_diagram::add(reliability_diagram const& other) {
  if (other.bins.empty()) return;
  if (bins.empty()) {
    *this = other;
    return;
  }
  if (equal_mass || other.equal_mass)
    detail::fail("reliability_diagram: add of bins of equal mass, whose edges follow from their own rows");
  bool same = bins.size() == other.bins.size();
  for (std::size_t k = 0; same && k < bins.size(); ++k) same = bins[k].upper == other.bins[k].upper;
  if (!same)
    detail::fail("reliability_diagram: add of %jd bins to %jd, edges must be the same",
                 std::intmax_t(other.bins.size()), std::intmax_t(bins.size()));
  for (std::size_t k = 0; k < bins.size(); ++k) {
    bins[k].count += other.bins[k].count;
    bins[k].correct += other.bins[k].correct;
    bins[k].confidence_sum += other.bins[k].confidence_sum;
  }
  undefined += other.undefined;
  loss_sum += other.loss_sum;
  brier_sum += other.brier_sum;
}

struct static_calibration_options {
  integer bins = 15;     ///< in [1, 2^20], of equal width
  real temperature = 1;  ///< divides the logits; finite and positive, and its inverse finite
};

namespace detail {

/// Returns bins over (0, 1]; upper_edge(k) is the end of bin k of `count`, except the last.
template <class UpperEdge>
std::vector<reliability_bin> bins_between(index count, UpperEdge const& upper_edge) {
  std::vector<reliability_bin> bins(static_cast<std::size_t>(count));
  for (index k = 1; k < count; ++k)
    bins[static_cast<std::size_t>(k)].lower = bins[static_cast<std::size_t>(k - 1)].upper = upper_edge(k - 1);
  return bins;
}

HONE_IF_CALLED
std::vector<reliability_bin> bins_of_equal_width(index count) {
  return bins_between(count, [=](index k) { return static_cast<double>(k + 1) / static_cast<double>(count); });
}

/// Returns bins such that bins 0 to k contain floor((k + 1) n / count) of the n sorted confidences (Nixon et al. 2019,
/// arXiv 1904.01685), and all that equal the last of these: equal confidences are in the same bin.
HONE_IF_CALLED
std::vector<reliability_bin> bins_of_equal_mass(index count, std::vector<double> const& sorted) {
  const auto n = static_cast<index>(sorted.size());
  return bins_between(count, [&](index k) {
    const index before = (k + 1) * n / count;
    return before > 0 ? sorted[static_cast<std::size_t>(before - 1)] : 0.0;
  });
}

/// Returns the index of the bin of a probability; 0, which is in no bin, goes to the first.
inline std::size_t bin_of(std::vector<reliability_bin> const& bins, double p) noexcept {
  std::size_t low = 0, high = bins.size() - 1;  // the first bin whose end is >= p
  while (low < high) {
    const std::size_t middle = (low + high) / 2;
    if (bins[middle].upper < p)
      low = middle + 1;
    else
      high = middle;
  }
  return low;
}

}  // namespace detail
}  // namespace hone::inline HONE_ABI

#include <hone/core/macros_pop.hpp>
