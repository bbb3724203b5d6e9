// SPDX-License-Identifier: MIT
/// Synchronised batch normalisation on the CPU: the statistics of the batch of all ranks, forward and backward.
#pragma once

#include <hone/cpu/distributed/channel_sums.hpp>

#include <type_traits>
#include <vector>

#include <hone/core/macros_push.hpp>

namespace hone::inline HONE_ABI {

/// Merges the statistics of every channel of the batch of all ranks into `to`, one per channel. The bits are the same
/// for every cut of the batch into whole images, or rows, and for every number of ranks; a rank without images takes
/// part. x is an image_view, or a matrix_view of rows x channels.
///
///     hone::measure_channels(cpu, ranks, x, all);
///
/// Three reductions over ranks, of 104 bytes per channel. A channel with a number that is not finite is NaN. If an
/// argument of one rank is not valid, or the ranks have different numbers of channels, all throw, and nothing is
/// written.
template <communicator C, template <class> class View, class T>
void measure_channels(cpu const& backend, C const& ranks, View<T> x, std::span<channel_statistics> to) {
  constexpr const char* function = "measure_channels";
  using number = std::remove_const_t<T>;
  static_assert(element<number>, "measure_channels: x must be of float, double or a 16-bit type");
  const View<const number> from = x;
  const std::vector<channel_statistics> all = on_cpu::measure_over_ranks(backend, ranks, function, from, [&] {
    detail::require_valid(from, "x", function);
    if (static_cast<index>(to.size()) != detail::columns_of(from))
      detail::fail("measure_channels: to has %zu statistics for %jd channels", to.size(),
                   std::intmax_t(detail::columns_of(from)));
    detail::require_apart(function, "to", detail::footprint_of(to), "x", detail::footprint_of(from));
  });
  for (std::size_t c = 0; c < to.size(); ++c) to[c].merge(all[c]);
}

/// Normalises a batch that is cut over ranks by the statistics of the whole: y = (x - mean) / sqrt(variance + epsilon)
/// · scale + shift per channel, with variance m2 / count. y may be x, but the backward pass reads x. `statistics`, one
/// per channel, receives those of all ranks, for the backward pass and for hone::update_running:
///
///     hone::batch_norm(cpu, ranks, x, {.scale = scale, .shift = shift}, statistics, y);
///
/// x is an image_view, or a matrix_view of rows x channels; scale and shift are float for 16-bit numbers. Batches may
/// be unequal, and empty. y has the same bits for every cut of the batch into whole images, or rows; NaN stays in its
/// channel. Throws as measure_channels does.
template <communicator C, template <class> class View, class T>
void batch_norm(cpu const& backend, C const& ranks, std::type_identity_t<View<const T>> x,
                std::type_identity_t<batch_norm_parameters<accumulator_t<T>>> const& parameters,
                std::span<channel_statistics> statistics, View<T> y) {
  using A = accumulator_t<T>;
  static_assert(!std::is_const_v<T>, "batch_norm: y is written, its type is const");
  static_assert(element<T>, "batch_norm: y must be of float, double or a 16-bit type");
  constexpr const char* function = "batch_norm";
  const detail::norm_parameters<A> affine{
      {parameters.scale, parameters.shift, parameters.scale, parameters.shift, parameters.epsilon}};
  const std::vector<channel_statistics> all = on_cpu::measure_over_ranks(backend, ranks, function, x, [&] {
    detail::require_scaled(function, x, affine, y, channel_scale_options<View, T>{});
    detail::require_epsilon(function, affine.norm);
    if (static_cast<index>(statistics.size()) != detail::columns_of(x))
      detail::fail("batch_norm: statistics has %zu for %jd channels", statistics.size(),
                   std::intmax_t(detail::columns_of(x)));
    detail::require_apart(function, "statistics", detail::footprint_of(statistics), "x", detail::footprint_of(x));
    detail::require_apart(function, "statistics", detail::footprint_of(statistics), "y", detail::footprint_of(y));
  });
  std::copy(all.begin(), all.end(), statistics.begin());
  const on_cpu::narrowed_statistics<A> narrow(statistics);
  const batch_norm_view<A> norm = narrow.with(parameters);
  const on_cpu::channel_memory<A> channels(detail::channel_parameters_of(norm), detail::columns_of(x), 0);
  on_cpu::scale_channels<T>(backend, x, channels, y, channel_scale_options<View, T>{});
}

/// Writes the gradients of batch_norm, from `statistics` as it has written them. With x̂ the normalised x, means over
/// the batch of all ranks, and s = scale / sqrt(variance + epsilon):
///   dx = s (dy - mean(dy) - x̂ mean(dy x̂))     gradients.scale = Σ dy x̂     gradients.shift = Σ dy
/// dx has the same bits for every cut of the batch into whole images, or rows. The gradients by scale and shift are
/// sums over the images of this rank, as those of other parameters are: the trainer reduces them with the others. dx
/// may be x or dy. Three reductions over ranks, of 96 bytes per channel. Throws as batch_norm does.
template <communicator C, template <class> class View, class T>
void batch_norm_backward(cpu const& backend, C const& ranks, std::type_identity_t<View<const T>> x,
                         std::type_identity_t<batch_norm_parameters<accumulator_t<T>>> const& parameters,
                         std::span<const channel_statistics> statistics, std::type_identity_t<View<const T>> dy,
                         View<T> dx,
                         std::type_identity_t<batch_norm_gradients<accumulator_t<T>>> const& gradients = {}) {
  using A = accumulator_t<T>;
  static_assert(!std::is_const_v<T>, "batch_norm_backward: dx is written, its type is const");
  static_assert(element<T>, "batch_norm_backward: dx must be of float, double or a 16-bit type");
  constexpr const char* function = "batch_norm_backward";
  const detail::norm_parameters<A> affine{
      {parameters.scale, parameters.shift, parameters.scale, parameters.shift, parameters.epsilon}};
  const bool same = detail::same_on_ranks(ranks, function, [&] {
    detail::require_scaled_backward(function, x, affine, dy, dx, detail::norm_gradients<A>{gradients},
                                    channel_scale_backward_options<View, T>{});
    detail::require_epsilon(function, affine.norm);
    if (static_cast<index>(statistics.size()) != detail::columns_of(x))
      detail::fail("batch_norm_backward: statistics has %zu for %jd channels", statistics.size(),
                   std::intmax_t(detail::columns_of(x)));
    detail::checksum64 checksum;
    checksum.add(statistics.data(), statistics.size_bytes());
    return checksum.value();
  });
  if (!same) detail::fail("batch_norm_backward: statistics are not the same on all ranks");
  const on_cpu::narrowed_statistics<A> narrow(statistics);
  const batch_norm_view<A> norm = narrow.with(parameters);
  const auto of = detail::channel_parameters_of(norm);
  const index parts = on_cpu::parts_of(x);
  const on_cpu::channel_memory<A> channels(of, detail::columns_of(x), parts);
  on_cpu::scale_channels_backward<T>(backend, x, channels, dy, View<T>{}, channel_scale_backward_options<View, T>{});
  channels.finish(parts, gradients.scale, gradients.shift);
  std::vector<exact_sum> sums = detail::sum_over_ranks(ranks, 2 * statistics.size(), {}, on_cpu::by_channels(backend),
                                                       on_cpu::slopes(x, dy, channels, parts));
  std::vector<on_cpu::norm_slope<double>> all;
  all.reserve(statistics.size());
  for (std::size_t c = 0; c < statistics.size(); ++c) {
    const detail::channel_affine<double> a = of.template at<double>(static_cast<index>(c));
    const double n = std::max(statistics[c].count, 1.0);
    all.push_back({a.centre, a.scale, sums[2 * c + 1].value() / n, sums[2 * c].value() / n * a.inverse * a.inverse});
  }
  on_cpu::write_norm_gradient<T>(backend, x, dy, dx, all);
}

}  // namespace hone::inline HONE_ABI

#include <hone/core/macros_pop.hpp>
