// SPDX-License-Identifier: MIT
/// What every backend must answer for the statistics of channels, against two passes in double.
#pragma once

#include <conformance/planes.hpp>

#include <span>

namespace conformance {

/// A small spread far from 0; planes of odd height have a border of zeros.
template <class T>
std::vector<T> channel_numbers(planes_shape s) {
  const double far = sizeof(T) == 2 ? 8 : 4096;
  std::vector<T> x;
  x.reserve(s.numbers());
  for (index i = 0; i < index(s.numbers()); ++i) {
    const double n = s.height % 2 == 1 && i % s.pixels() < 20
                         ? 0
                         : far + 0.25 * double(i * i % 7) + 0.5 * double(i / s.pixels() % 3);
    x.push_back(static_cast<T>(static_cast<float>(n)));
  }
  return x;
}

template <class Device, class T>
void measures_channels(planes_shape s) {
  CAPTURE(s.images);
  CAPTURE(s.channels);
  CAPTURE(s.pixels());
  const auto x = channel_numbers<T>(s);
  const std::size_t channels = std::size_t(s.channels);
  const typename Device::template buffer<T> of_x(x);
  const std::vector<hone::channel_statistics> nothing(channels);
  const typename Device::template buffer<hone::channel_statistics> once(nothing), again(nothing), twice(nothing);
  const auto measure = [&](index from, index images, auto const& to) {
    Device::call([&](auto&& backend) {
      hone::measure_channels(backend,
                             hone::image_view<const T>{of_x.data() + from * s.channels * s.pixels(), images, s.channels,
                                                       s.height, s.width},
                             std::span<hone::channel_statistics>(to.data(), channels));
    });
  };
  measure(0, s.images, once);
  measure(0, s.images, again);
  measure(0, s.images / 2, twice);
  measure(s.images / 2, s.images - s.images / 2, twice);
  const auto all = once.host(), same = again.host(), merged = twice.host();
  CHECK(support::same_bytes(all.data(), same.data(), channels * sizeof(hone::channel_statistics)));
  index wrong = 0;
  for (std::size_t c = 0; c < channels; ++c) {
    const auto count = double(s.images * s.pixels());
    double mean = 0, m2 = 0;
    const auto each = [&](auto const& body) {
      for (index i = 0; i < s.images; ++i)
        for (index p = 0; p < s.pixels(); ++p)
          body(static_cast<double>(x[std::size_t((i * s.channels + index(c)) * s.pixels() + p)]));
    };
    each([&](double v) { mean += v / count; });
    double off = 0;
    each([&](double v) { off += (v - mean) / count; });
    mean += off;  // without the rounding of a long sum
    each([&](double v) { m2 += (v - mean) * (v - mean); });
    for (auto const& seen : {all[c], merged[c]}) {
      // In float the squares, and what the mean of a run lost, are sums of a few numbers near the mean.
      const double unit = sizeof(T) == 8 ? 1e-12 : 1e-6, of_squares = sizeof(T) == 8 ? 1e-12 : 2e-5;
      const bool right = seen.count == count &&
                         std::abs(seen.mean - mean) <= unit * std::sqrt(m2 / count) + 1e-14 * std::abs(mean) &&
                         std::abs(seen.m2 - m2) <= of_squares * m2 + 1e-12;
      wrong += !(right || (s.images == 0 && seen.count == 0));
    }
  }
  CHECK(wrong == 0);
}

/// NaN stays in its channel.
template <class Device>
void measures_nan() {
  std::vector<float> x(24, 2);
  x[13] = std::nanf("");
  const typename Device::template buffer<float> of_x(x);
  const typename Device::template buffer<hone::channel_statistics> to(std::vector<hone::channel_statistics>(3));
  Device::call([&](auto&& backend) {
    hone::measure_channels(backend, hone::image_view<float>{of_x.data(), 2, 3, 2, 2},
                           std::span<hone::channel_statistics>(to.data(), 3));
  });
  const auto seen = to.host();
  CHECK((std::isnan(seen[0].mean) && std::isnan(seen[0].m2) && seen[0].count == 8));
  CHECK((seen[1].mean == 2 && seen[1].m2 == 0 && seen[2].mean == 2));
}

template <class Device>
void channel_statistics() {
  for (const planes_shape s : {planes_shape{1, 1, 1, 1},
                               {2, 3, 1, 1},
                               {3, 5, 7, 7},
                               {3, 5, 8, 8},
                               {1, 2, 41, 61},
                               {2, 3, 64, 64},
                               {3, 2, 1, 10007},
                               {3, 1, 1, 10008},
                               {37000, 1, 1, 1},
                               {0, 2, 2, 2},
                               {2, 0, 2, 2}})
    measures_channels<Device, float>(s);
  for (const planes_shape s : {planes_shape{3, 5, 7, 7}, {2, 3, 8, 9}, {1, 2, 41, 61}, {2, 1, 96, 64}}) {
    measures_channels<Device, double>(s);
    measures_channels<Device, typename Device::half>(s);
    measures_channels<Device, typename Device::bfloat16>(s);
  }
  measures_nan<Device>();
}

}  // namespace conformance
