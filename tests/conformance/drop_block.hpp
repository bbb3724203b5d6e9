// SPDX-License-Identifier: MIT
/// What every backend must answer for drop block, against loops over all blocks, with the draws of
/// structure/drop_block.hpp.
#pragma once

#include <hone/structure.hpp>

#include <conformance/planes.hpp>

#include <cstdint>
#include <span>
#include <vector>

namespace conformance {

template <class Device, class T>
void drops_blocks(planes_shape s, hone::drop_block policy) {
  using A = hone::accumulator_t<T>;
  using bytes = typename Device::template buffer<std::uint8_t>;
  using numbers = typename Device::template buffer<A>;
  CAPTURE(s.height);
  CAPTURE(s.width);
  CAPTURE(policy.size.value);
  const hone::plane_size size{s.height, s.width}, block = policy.block(size);
  const index channels = policy.shared ? 1 : s.channels;
  const auto masks = std::size_t(s.images * channels * s.pixels());
  const std::uint64_t below = hone::detail::threshold_of(policy.gamma(size));
  std::vector<std::uint8_t> right(masks, 1);
  std::vector<A> right_factors;
  for (index n = 0; n < s.images; ++n) {
    index left = 0;
    for (index c = 0; c < channels; ++c) {
      const hone::detail::block_draws draws(hone::detail::random_bits(5, 6), 7, n, c, below);
      std::uint8_t* const plane = right.data() + (n * channels + c) * s.pixels();
      for (index i = 0; i + block.height <= s.height; ++i)
        for (index j = 0; j + block.width <= s.width; ++j) {
          const index at = i * s.width + j;
          if (!draws.begins(draws.words(static_cast<std::uint32_t>(at / 4)).at[at % 4])) continue;
          for (index h = i; h < i + block.height; ++h)
            for (index w = j; w < j + block.width; ++w) plane[h * s.width + w] = 0;
        }
      for (index i = 0; i < s.pixels(); ++i) left += plane[i];
    }
    const double all = double(channels * s.pixels());
    right_factors.push_back(!policy.scale_by_kept ? A(1) : left > 0 ? A(all / double(left)) : A(0));
  }

  const auto of_x = plane_noise<T>(1, s.numbers());
  const bytes mask(std::vector<std::uint8_t>(masks, 9));
  const numbers factors(std::vector<A>(std::size_t(s.images), A(99)));
  const typename Device::template buffer<T> x(of_x), y(std::vector<T>(s.numbers(), T(99.0f)));
  const hone::image_view<std::uint8_t> view{mask.data(), s.images, channels, s.height, s.width};
  const std::span<A> of_samples(factors.data(), std::size_t(s.images));
  Device::call([&](auto&& b) {
    hone::draw_blocks(b, policy, 5, 6, 7, size, view, of_samples);
    hone::drop_blocks(b, {x.data(), s.images, s.channels, s.height, s.width}, view, of_samples,
                      hone::image_view<T>{y.data(), s.images, s.channels, s.height, s.width});
  });
  CHECK(mask.host() == right);
  CHECK(factors.host() == right_factors);
  CHECK(plane_distance(y.host(), [&](index k) {
          const index n = k / s.pixels() / s.channels, plane = channels == 1 ? n : k / s.pixels();
          const double by =
              right[std::size_t(plane * s.pixels() + k % s.pixels())] * double(right_factors[std::size_t(n)]);
          return std::pair(by * double(of_x[std::size_t(k)]),
                           by == 0 ? 0.0 : std::abs(by * double(of_x[std::size_t(k)])));
        }) <= plane_tolerance<T>);
}

/// Words of positions that span rows, planes of many words, blocks of one number, wide, and larger than the plane.
template <class Device>
void drop_blocks() {
  for (const planes_shape s : std::vector<planes_shape>{
           {1, 1, 1, 1}, {2, 3, 7, 5}, {3, 2, 13, 11}, {1, 2, 9, 70}, {1, 1, 47, 53}, {0, 2, 3, 3}, {2, 0, 3, 3}}) {
    drops_blocks<Device, float>(s, {.rate = 0.3, .size = 3});
    drops_blocks<Device, float>(s, {.rate = 0.5, .size = 1});
    drops_blocks<Device, float>(s, {.rate = 0.4, .size = 40, .scale_by_kept = false});
    drops_blocks<Device, float>(s, {.rate = 1, .size = 2});
    if (s.channels > 0) drops_blocks<Device, float>(s, {.rate = 0.3, .size = 4, .shared = true});
  }
  drops_blocks<Device, double>({2, 3, 7, 5}, {.rate = 0.3, .size = 3});
  drops_blocks<Device, typename Device::half>({2, 3, 7, 5}, {.rate = 0.3, .size = 3});
  drops_blocks<Device, typename Device::bfloat16>({2, 3, 7, 5}, {.rate = 0.3, .size = 3});
}

}  // namespace conformance
