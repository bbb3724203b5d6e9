// SPDX-License-Identifier: MIT
/// Grey images and how they change their size.
#pragma once

#include <algorithm>
#include <cmath>
#include <cstddef>
#include <cstdint>
#include <vector>

namespace demo {

struct grey_image {
  int width = 0, height = 0;
  std::vector<std::uint8_t> pixels;  // row-major

  std::uint8_t at(int x, int y) const {
    return pixels[static_cast<std::size_t>(y) * static_cast<std::size_t>(width) + static_cast<std::size_t>(x)];
  }
};

/// What each of `to` pixels takes from `from` pixels on one axis: a triangle filter, as wide as a pixel of the coarser
/// side, so that it interpolates upwards and averages downwards.
class axis_filter {
 public:
  struct tap {
    int at;
    float weight;
  };

  axis_filter(int from, int to) : taps_(static_cast<std::size_t>(to)) {
    const double scale = static_cast<double>(from) / to, reach = std::max(scale, 1.0);
    for (int i = 0; i < to; ++i) {
      const double centre = (i + 0.5) * scale - 0.5;
      double sum = 0;
      for (int k = static_cast<int>(std::ceil(centre - reach)); k <= centre + reach; ++k) {
        const double weight = 1 - std::abs(k - centre) / reach;
        if (weight <= 0) continue;
        taps_[static_cast<std::size_t>(i)].push_back({std::clamp(k, 0, from - 1), static_cast<float>(weight)});
        sum += weight;
      }
      for (tap& t : taps_[static_cast<std::size_t>(i)]) t.weight /= static_cast<float>(sum);
    }
  }

  template <class At>
  float operator()(int i, const At& at) const {
    float sum = 0;
    for (const tap& t : taps_[static_cast<std::size_t>(i)]) sum += t.weight * static_cast<float>(at(t.at));
    return sum;
  }

 private:
  std::vector<std::vector<tap>> taps_;
};

/// Both sizes at least 1.
inline grey_image resized(const std::uint8_t* pixels, int width, int height, int new_width, int new_height) {
  const auto at = [](int x, int y, int w) {
    return static_cast<std::size_t>(y) * static_cast<std::size_t>(w) + static_cast<std::size_t>(x);
  };
  const axis_filter across(width, new_width), down(height, new_height);
  std::vector<float> half(static_cast<std::size_t>(new_width) * static_cast<std::size_t>(height));
  for (int y = 0; y < height; ++y)
    for (int x = 0; x < new_width; ++x)
      half[at(x, y, new_width)] = across(x, [&](int k) { return pixels[at(k, y, width)]; });
  grey_image out{new_width, new_height,
                 std::vector<std::uint8_t>(static_cast<std::size_t>(new_width) * static_cast<std::size_t>(new_height))};
  for (int y = 0; y < new_height; ++y)
    for (int x = 0; x < new_width; ++x)
      out.pixels[at(x, y, new_width)] = static_cast<std::uint8_t>(
          std::clamp(std::lround(down(y, [&](int k) { return half[at(x, k, new_width)]; })), 0l, 255l));
  return out;
}

}  // namespace demo
