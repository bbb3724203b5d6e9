// SPDX-License-Identifier: MIT
/// Fashion-MNIST items displaced, rotated and scaled on canvases: what a fixed grid of taps does not follow.
#pragma once

#include "data.hpp"
#include "patches.hpp"

#include <cstdint>
#include <random>
#include <span>
#include <vector>

namespace deformable {

using demo::matrix;

inline constexpr Eigen::Index canvas_side = 40;

/// Where an item's 28 x 28 image lies: its centre in pixels of the canvas, its size beside the original, an angle in
/// radians.
struct placement {
  double x = canvas_side / 2.0, y = canvas_side / 2.0, scale = 1, angle = 0;
};

/// Scale uniform in [0.5, 1.2], angle within 60 degrees, and the circle in the item's square inside the canvas.
placement any_placement(std::mt19937_64& random);

/// Writes a canvas, values in [0, 1]: bilinear, 0 beside the item.
void draw(const std::uint8_t* item, const placement& where, float* canvas);

/// A row per item. Item i is placed by a function of `seed` and i, in whatever batch it is.
void draw_all(const demo::image_set& items, std::span<const std::uint32_t> which, std::uint64_t seed,
              matrix<float>& canvases, std::vector<int>& labels);

}  // namespace deformable
