// SPDX-License-Identifier: MIT
/// Images as a network takes them, a batch at a time.
#pragma once

#include "data.hpp"
#include "patches.hpp"

#include <algorithm>
#include <cmath>
#include <numeric>
#include <span>

namespace demo {

struct batch {
  matrix<float> images;  // n x 784
  std::vector<int> labels;
};

/// Turns bytes into numbers of mean 0 and deviation 1 over the training images.
struct standardisation {
  float mean = 0, scale = 1;

  explicit standardisation(const image_set& set) {
    double sum = 0, squares = 0;
    for (const std::uint8_t p : set.pixels) sum += p, squares += double(p) * p;
    const auto n = static_cast<double>(set.pixels.size());
    const double variance = squares / n - sum / n * (sum / n);
    mean = static_cast<float>(sum / n);
    scale = static_cast<float>(1 / std::sqrt(std::max(variance, 1.0)));
  }

  void gather(const image_set& set, std::span<const std::uint32_t> which, batch& to) const {
    to.images.resize(static_cast<Eigen::Index>(which.size()), image_pixels);
    to.labels.resize(which.size());
    for (std::size_t i = 0; i < which.size(); ++i) {
      const std::uint8_t* from = set.pixels.data() + which[i] * image_pixels;
      float* row = to.images.row(static_cast<Eigen::Index>(i)).data();
      for (std::size_t k = 0; k < image_pixels; ++k) row[k] = (static_cast<float>(from[k]) - mean) * scale;
      to.labels[i] = set.labels[which[i]];
    }
  }
};

inline std::vector<std::uint32_t> in_order(std::size_t count) {
  std::vector<std::uint32_t> order(count);
  std::iota(order.begin(), order.end(), 0u);
  return order;
}

/// Calls work(part of the order) for `size` samples at a time, until it returns false.
template <class Work>
bool each_batch(std::span<const std::uint32_t> order, std::size_t size, const Work& work) {
  for (std::size_t begin = 0; begin < order.size(); begin += size)
    if (!work(order.subspan(begin, std::min(size, order.size() - begin)))) return false;
  return true;
}

}  // namespace demo
