// SPDX-License-Identifier: MIT
/// Statistics of channels over all ranks, for synchronised batch normalisation.
#pragma once

#include <hone/distributed/same_on_ranks.hpp>
#include <hone/distributed/windowed_sum.hpp>
#include <hone/structure/batch_norm.hpp>

#include <vector>

#include <hone/core/macros_push.hpp>

namespace hone::inline HONE_ABI {

namespace detail {

/// Sums of numbers over all ranks, `sums` of them, with the same bits for every cut of the numbers. each(k, add) calls
/// add(x) for the numbers of sum k that this rank has, and is called twice; for_each(n, body) calls body(0) to body(n -
/// 1), perhaps on threads. Also sums the words of `counts`. Two reductions over ranks: 8 bytes a sum, then 40.
template <communicator C, class ForEach, class Each>
std::vector<exact_sum> sum_over_ranks(C const& ranks, std::size_t sums, std::span<std::int64_t> counts,
                                      ForEach const& for_each, Each const& each) {
  std::vector<double> largest(sums);
  for_each(sums, [&](std::size_t k) {
    double most = 0;
    each(k, [&](double x) { most = std::max(most, magnitude(x)); });
    largest[k] = most;
  });
  ranks.max(std::span<double>(largest));
  std::vector<std::int64_t> words(sums * sum_window::words + counts.size());
  for_each(sums, [&](std::size_t k) {
    const sum_window window(largest[k]);
    each(k, [&](double x) { window.add(&words[k * sum_window::words], x); });
  });
  const auto behind = words.begin() + static_cast<std::ptrdiff_t>(sums * sum_window::words);
  std::copy(counts.begin(), counts.end(), behind);
  ranks.sum(std::span<std::int64_t>(words));
  std::copy(behind, words.end(), counts.begin());
  std::vector<exact_sum> all;
  all.reserve(sums);
  for (std::size_t k = 0; k < sums; ++k) all.push_back(sum_window(largest[k]).sum(&words[k * sum_window::words]));
  return all;
}

/// Calls add(x) for numbers whose sum is m2 + n mean², up to 2^-106 of it.
template <class Add>
void add_squares(channel_statistics const& of, Add const& add) {
  const exact_product square(of.mean, of.mean), high(of.count, square.product);
  add(of.m2), add(high.product), add(high.error), add(of.count * square.error);
}

/// Returns the statistics of `count` numbers by Σ x and Σ x²; the difference Σ x² - (Σ x)² / n is exact until the end.
inline channel_statistics statistics_of(double count, exact_sum const& total, exact_sum squares) {
  if (count == 0) return {};
  const double mean = total.value() / count;
  if (!finite(mean)) return {count, mean, std::numeric_limits<double>::quiet_NaN()};
  exact_sum rest = total;  // n (mean - rounded mean)
  const exact_product rounded(count, mean);
  rest.add(-rounded.product), rest.add(-rounded.error);
  for_parts(total, [&](double part) {
    const exact_product twice(-2 * mean, part);
    squares.add(twice.product), squares.add(twice.error);
  });
  const exact_product square(mean, mean), high(count, square.product), low(count, square.error);
  for (const double x : {high.product, high.error, low.product, low.error}) squares.add(x);
  const double off = rest.value();
  return {count, mean, std::max(squares.value() - off * off / count, 0.0)};
}

/// each(c, add) calls add(channel_statistics) for what this rank has measured of channel c; `count` numbers a channel.
template <communicator C, class ForEach, class Each>
std::vector<channel_statistics> merged_channels(C const& ranks, std::span<std::int64_t> counts, ForEach const& for_each,
                                                Each const& each) {
  const std::size_t channels = counts.size();
  const std::vector<exact_sum> sums =
      sum_over_ranks(ranks, 2 * channels, counts, for_each, [&](std::size_t k, auto const& add) {
        if (k < channels)
          each(k, [&](channel_statistics const& s) { add(s.count * s.mean); });
        else
          each(k - channels, [&](channel_statistics const& s) { add_squares(s, add); });
      });
  std::vector<channel_statistics> all;
  all.reserve(channels);
  for (std::size_t c = 0; c < channels; ++c)
    all.push_back(statistics_of(static_cast<double>(counts[c]), sums[c], sums[channels + c]));
  return all;
}

inline constexpr auto one_after_another = [](std::size_t n, auto const& body) {
  for (std::size_t k = 0; k < n; ++k) body(k);
};

}  // namespace detail

/// Replaces the statistics of every channel by those of all ranks, weighed by their counts. A rank with no numbers
/// (count 0) takes part. The result has the same bits on every rank, whatever the order of the ranks:
///
///     std::vector<hone::channel_statistics> all(channels);
///     hone::measure_channels(cpu, x, all);
///     hone::merge_channels(ranks, all);
///
/// Three reductions over ranks, of 104 bytes per channel. A channel that has a number that is not finite on one rank is
/// NaN on all. If the ranks have different numbers of channels, or a count is no whole number in [0, 2^53], all ranks
/// throw (hone::invalid_argument, or hone::rank_error where the error is that of another rank), and nothing is written.
template <communicator C>
void merge_channels(C const& ranks, std::span<channel_statistics> channels) {
  constexpr const char* function = "merge_channels";
  std::vector<std::int64_t> counts;
  const bool same = detail::same_on_ranks(ranks, function, [&] {
    counts.reserve(channels.size());
    for (channel_statistics const& s : channels) {
      detail::require(s.count >= 0 && s.count <= 0x1p53 && s.count == std::floor(s.count), function, "count", s.count,
                      "a whole number in [0, 2^53]");
      counts.push_back(static_cast<std::int64_t>(s.count));
    }
    return static_cast<std::uint64_t>(channels.size());
  });
  if (!same) detail::fail("%s: the ranks have different numbers of channels, this one %zu", function, channels.size());
  const auto all = detail::merged_channels(ranks, std::span<std::int64_t>(counts), detail::one_after_another,
                                           [&](std::size_t c, auto const& add) {
                                             if (channels[c].count > 0) add(channels[c]);
                                           });
  std::copy(all.begin(), all.end(), channels.begin());
}

}  // namespace hone::inline HONE_ABI

#include <hone/core/macros_pop.hpp>
