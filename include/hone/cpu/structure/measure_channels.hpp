// SPDX-License-Identifier: MIT
/// Statistics of the channels of a batch, on the CPU.
#pragma once

#include <hone/cpu/structure/reduce_planes.hpp>
#include <hone/structure/batch_norm.hpp>

#include <span>
#include <type_traits>

#include <hone/core/macros_push.hpp>

namespace hone::inline HONE_ABI {
namespace on_cpu {

/// Returns the statistics of a plane: the mean, and then the squares about it, while the plane is in the caches.
template <class T>
channel_statistics measure_plane(image_view<const T> x, index plane) noexcept {
  using A = accumulator_t<T>;
  using V = pack<A>;
  const double mean = reduce_plane<T>(plane_mean, x, plane);
  const V middle(mean);
  double squares = 0, rest = 0;
  for_runs(plane, x.pixels, [&](index at, index n) {
    V sum_of_squares(0), sum_of_rest(0);
    index i = 0;
    for (; i + V::size <= n; i += V::size) {
      const V d = load_as<A>(x.data + at + i) - middle;
      sum_of_squares = fma(d, d, sum_of_squares);
      sum_of_rest += d;
    }
    squares += static_cast<double>(sum(sum_of_squares));
    rest += static_cast<double>(sum(sum_of_rest));
    for (; i < n; ++i) {
      const A d = static_cast<A>(x.data[at + i]) - static_cast<A>(mean);
      squares += static_cast<double>(d) * static_cast<double>(d);
      rest += static_cast<double>(d);
    }
  });
  const auto count = static_cast<double>(x.pixels);
  const double off = rest / count, used = static_cast<double>(static_cast<A>(mean));  // what rounding the mean cost
  return {count, used + off, squares - rest * off};
}

}  // namespace on_cpu

/// Merges the statistics of every channel of x into `to`, one per channel, images in order:
///
///     std::vector<hone::channel_statistics> all(channels);
///     for (auto& batch : batches) hone::measure_channels(cpu, batch, all);
///
/// The bits depend on the shape alone. Throws hone::invalid_argument, and writes nothing, if a size does not fit.
template <class T>
void measure_channels(cpu const& backend, image_view<T> x, std::span<channel_statistics> to) {
  using number = std::remove_const_t<T>;
  const image_view<const number> from = x;
  detail::require_measure_channels(from, to);
  on_cpu::for_chunks(backend, x.channels, 0, [&](index c, std::byte*) {
    for (index i = 0; i < from.images; ++i)
      to[std::size_t(c)].merge(on_cpu::measure_plane<number>(from, i * from.channels + c));
  });
}

}  // namespace hone::inline HONE_ABI

#include <hone/core/macros_pop.hpp>
