// SPDX-License-Identifier: MIT
/// Reliability diagrams of several ranks, as one.
#pragma once

#include <hone/calibration/reliability.hpp>
#include <hone/distributed/exact_sum.hpp>
#include <hone/distributed/same_on_ranks.hpp>

#include <vector>

#include <hone/core/macros_push.hpp>

namespace hone::inline HONE_ABI {

namespace detail {

/// The sums of a diagram without rounding: the rows of a bin, and the confidences, losses and Brier scores of its rows.
class exact_diagram {
 public:
  explicit exact_diagram(std::size_t bins) : counts_(2 * bins + 1), sums_(bins + 2) {}

  void undefined(index rows) noexcept { counts_.back() += rows; }
  void losses(double loss, double brier) noexcept { sums_[bins()].add(loss), sums_[bins() + 1].add(brier); }
  void rows(std::size_t bin, index count, index correct, double confidence) noexcept {
    counts_[2 * bin] += count, counts_[2 * bin + 1] += correct;
    sums_[bin].add(confidence);
  }
  void add(reliability_diagram const& d) noexcept {
    undefined(d.undefined), losses(d.loss_sum, d.brier_sum);
    for (std::size_t k = 0; k < d.bins.size(); ++k)
      rows(k, d.bins[k].count, d.bins[k].correct, d.bins[k].confidence_sum);
  }
  /// Sums over ranks, 64 bins at a time, and writes the diagram, whose edges are there already.
  template <communicator C>
  void sum_to(C const& ranks, reliability_diagram& to) {
    ranks.sum(std::span<std::int64_t>(counts_));
    constexpr std::size_t together = 64, words = exact_words::count;
    std::vector<std::int64_t> some(std::min(together, sums_.size()) * words);
    for (std::size_t begin = 0; begin < sums_.size(); begin += together) {
      const std::size_t n = std::min(together, sums_.size() - begin);
      for (std::size_t i = 0; i < n; ++i) sums_[begin + i].put(&some[i * words]);
      ranks.sum(std::span<std::int64_t>(some).first(n * words));
      for (std::size_t i = 0; i < n; ++i) sums_[begin + i].take(&some[i * words]);
    }
    for (std::size_t k = 0; k < bins(); ++k) {
      to.bins[k].count = counts_[2 * k], to.bins[k].correct = counts_[2 * k + 1];
      to.bins[k].confidence_sum = sums_[k].value();
    }
    to.undefined = counts_.back(), to.loss_sum = sums_[bins()].value(), to.brier_sum = sums_[bins() + 1].value();
  }

 private:
  std::size_t bins() const noexcept { return sums_.size() - 2; }

  std::vector<std::int64_t> counts_;
  std::vector<exact_sum> sums_;
};

}  // namespace detail

/// Replaces a diagram by that of the rows of all ranks; it has the same bits on all of them, whatever the order of the
/// ranks. A diagram without bins, of a rank that has measured nothing, takes part. Sums of a rank are those that it
/// brings: hone::reliability over ranks has the same bits for any number of ranks, too.
///
///     hone::merge(ranks, diagram);
///
/// Where the edges of the ranks differ, or bins are of equal mass (their edges follow from the rows of one rank), all
/// throw hone::invalid_argument, or hone::rank_error where the error is that of another rank; nothing is written.
template <communicator C>
void merge(C const& ranks, reliability_diagram& diagram) {
  double bins[] = {0};
  if (diagram.bins.size() <= std::size_t(1) << 20) bins[0] = static_cast<double>(diagram.bins.size());
  ranks.max(std::span<double>(bins));
  std::vector<reliability_bin> edges(static_cast<std::size_t>(bins[0]));
  double before[] = {-static_cast<double>(diagram.bins.size() == edges.size() ? ranks.rank() : ranks.size())};
  ranks.max(std::span<double>(before));
  const int first = static_cast<int>(-before[0]);  // the first rank with so many bins
  std::vector<double> upper;
  if (ranks.rank() == first)
    for (reliability_bin const& b : diagram.bins) upper.push_back(b.upper);
  upper.resize(edges.size());
  ranks.broadcast(std::as_writable_bytes(std::span(upper)), first);
  detail::agree(ranks, "merge", [&] {
    if (diagram.equal_mass) detail::fail("merge: bins of equal mass, whose edges follow from the rows of one rank");
    if (diagram.bins.empty()) return;
    bool same = diagram.bins.size() == upper.size();
    for (std::size_t k = 0; same && k < upper.size(); ++k) same = diagram.bins[k].upper == upper[k];
    if (!same)
      detail::fail("merge: %zu bins, rank %d has %zu, edges must be the same", diagram.bins.size(), first,
                   upper.size());
  });
  for (std::size_t k = 0; k < edges.size(); ++k) edges[k].lower = k == 0 ? 0 : upper[k - 1], edges[k].upper = upper[k];
  detail::exact_diagram all(edges.size());
  all.add(diagram);
  diagram.bins = edges;
  all.sum_to(ranks, diagram);
}

}  // namespace hone::inline HONE_ABI

#include <hone/core/macros_pop.hpp>
