// SPDX-License-Identifier: MIT
/// Scenes as a network takes them, a batch at a time: structs with a grey_image `image`, all of one size.
#pragma once

#include "patches.hpp"
#include "resize.hpp"

#include <span>

namespace demo {

/// Turns bytes into numbers of mean 0 and deviation 1 over the training scenes.
struct scene_standardisation {
  float mean = 0, scale = 1;

  template <class Scene>
  explicit scene_standardisation(const std::vector<Scene>& scenes) {
    double sum = 0, squares = 0, n = 0;
    for (const Scene& s : scenes)
      for (const std::uint8_t p : s.image.pixels) sum += p, squares += double(p) * p, n += 1;
    mean = static_cast<float>(sum / n);
    scale = static_cast<float>(1 / std::sqrt(std::max(squares / n - sum / n * (sum / n), 1.0)));
  }

  /// A row per scene.
  template <class Scene>
  void gather(const std::vector<Scene>& scenes, std::span<const std::uint32_t> which, matrix<float>& to) const {
    to.resize(static_cast<Eigen::Index>(which.size()), static_cast<Eigen::Index>(scenes[0].image.pixels.size()));
    for (std::size_t i = 0; i < which.size(); ++i) {
      const auto& pixels = scenes[which[i]].image.pixels;
      float* row = to.row(static_cast<Eigen::Index>(i)).data();
      for (std::size_t k = 0; k < pixels.size(); ++k) row[k] = (static_cast<float>(pixels[k]) - mean) * scale;
    }
  }
};

}  // namespace demo
