// SPDX-License-Identifier: MIT
/// What a batch normalisation keeps for evaluation, from statistics measured over many batches with fixed weights (Wu,
/// Johnson 2021, arXiv 2105.07576): for averaged weights, whose statistics nobody has seen, and after a training.
#pragma once

#include <hone/core/narrowed.hpp>
#include <hone/structure/batch_norm.hpp>

#include <span>
#include <type_traits>

#include <hone/core/macros_push.hpp>

namespace hone::inline HONE_ABI {

/// The averages over batches of a channel's mean and of its unbiased variance: what a running average of batch
/// normalisation approaches (Ioffe, Szegedy 2015, arXiv 1502.03167, algorithm 2), and what fvcore's update_bn_stats
/// computed at first. Every batch counts the same. Within a batch only: the differences between the means of batches
/// are missing, so it is below the variance of all numbers where batches are small.
struct batch_averages {
  double batches = 0, mean = 0, variance = 0;

  /// Adds a batch. One of no numbers changes nothing; the unbiased variance of one number is 0.
  constexpr void add(channel_statistics const& of) noexcept {
    if (of.count == 0) return;
    ++batches;
    mean += (of.mean - mean) / batches;
    variance += (of.unbiased_variance() - variance) / batches;
  }
};

namespace detail {

constexpr double count_of(channel_statistics const& s) noexcept { return s.count; }
constexpr double count_of(batch_averages const& s) noexcept { return s.batches; }
constexpr double variance_of(channel_statistics const& s) noexcept { return s.variance(); }
constexpr double variance_of(batch_averages const& s) noexcept { return s.variance; }

template <class Statistics, class A>
void store_statistics(std::span<const Statistics> from, std::span<A> means, std::span<A> variances) {
  static_assert(std::is_floating_point_v<A>, "store_statistics: means and variances are float or double");
  constexpr const char* function = "store_statistics";
  const auto require_size = [&](const char* name, std::size_t size) {
    if (size != from.size()) fail("%s: %s has %zu numbers for %zu channels", function, name, size, from.size());
  };
  require_size("means", means.size()), require_size("variances", variances.size());
  require_apart(function, "means", footprint_of(means), "variances", footprint_of(variances));
  for (std::size_t c = 0; c < from.size(); ++c)
    if (!(count_of(from[c]) > 0)) fail("%s: channel %zu has no numbers", function, c);
  for (std::size_t c = 0; c < from.size(); ++c) {
    means[c] = narrowed<A>(from[c].mean);
    variances[c] = narrowed<A>(variance_of(from[c]));
  }
}

}  // namespace detail

/// Writes the mean and the variance of all numbers that were measured, m2 / count: precise batch-norm statistics. They
/// do not depend on how the numbers were cut into batches.
///
///     std::vector<hone::channel_statistics> all(channels);
///     for (auto& batch : batches) hone::measure_channels(cpu, input_of_layer(batch), all);
///     hone::store_statistics<float>(all, running_mean, running_variance);
///
/// Throws hone::invalid_argument, and writes nothing, if sizes differ, memory overlaps or a channel has no numbers.
template <class A>
void store_statistics(std::span<const channel_statistics> from, std::type_identity_t<std::span<A>> means,
                      std::type_identity_t<std::span<A>> variances) {
  detail::store_statistics(from, means, variances);
}
/// The same of averages over batches.
template <class A>
void store_statistics(std::span<const batch_averages> from, std::type_identity_t<std::span<A>> means,
                      std::type_identity_t<std::span<A>> variances) {
  detail::store_statistics(from, means, variances);
}

}  // namespace hone::inline HONE_ABI

#include <hone/core/macros_pop.hpp>
