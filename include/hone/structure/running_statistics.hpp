// SPDX-License-Identifier: MIT
/// The running statistics of a batch normalisation: what it keeps for evaluation while a network is trained.
#pragma once

#include <hone/core/narrowed.hpp>
#include <hone/structure/batch_norm.hpp>

#include <span>
#include <type_traits>

#include <hone/core/macros_push.hpp>

namespace hone::inline HONE_ABI {

/// Moves running means and variances towards those of a batch: r becomes (1 - momentum) r + momentum x, with the
/// unbiased variance, as PyTorch does (0 of a single number). A channel without numbers stays as it is. With the
/// statistics of all ranks, the running ones of all ranks have the same bits.
///
///     hone::update_running<float>(statistics, running_mean, running_variance);
///
/// Throws hone::invalid_argument, and writes nothing, if sizes differ, memory overlaps or momentum is outside [0, 1].
template <class A>
void update_running(std::span<const channel_statistics> from, std::type_identity_t<std::span<A>> means,
                    std::type_identity_t<std::span<A>> variances, real momentum = 0.1) {
  static_assert(std::is_floating_point_v<A>, "update_running: means and variances are float or double");
  constexpr const char* function = "update_running";
  const double m = momentum.value;
  detail::require(m >= 0 && m <= 1, function, "momentum", m, "in [0, 1]");
  const auto require_size = [&](const char* name, std::size_t size) {
    if (size != from.size()) detail::fail("%s: %s has %zu numbers for %zu channels", function, name, size, from.size());
  };
  require_size("means", means.size()), require_size("variances", variances.size());
  detail::require_apart(function, "means", detail::footprint_of(means), "variances", detail::footprint_of(variances));
  for (std::size_t c = 0; c < from.size(); ++c) {
    if (from[c].count == 0) continue;
    means[c] = detail::narrowed<A>((1 - m) * static_cast<double>(means[c]) + m * from[c].mean);
    variances[c] = detail::narrowed<A>((1 - m) * static_cast<double>(variances[c]) + m * from[c].unbiased_variance());
  }
}

}  // namespace hone::inline HONE_ABI

#include <hone/core/macros_pop.hpp>
