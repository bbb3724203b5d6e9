// SPDX-License-Identifier: MIT
#include "canvases.hpp"

#include "random.hpp"

#include <numbers>

namespace deformable {
namespace {

constexpr auto item_side = static_cast<Eigen::Index>(demo::image_side);

double pixel(const std::uint8_t* item, Eigen::Index x, Eigen::Index y) {
  return x < 0 || y < 0 || x >= item_side || y >= item_side ? 0.0 : item[y * item_side + x];
}

/// Between the centres of four pixels.
double sampled(const std::uint8_t* item, double x, double y) {
  const double left = std::floor(x), top = std::floor(y), u = x - left, v = y - top;
  const auto i = static_cast<Eigen::Index>(left), j = static_cast<Eigen::Index>(top);
  return (1 - v) * ((1 - u) * pixel(item, i, j) + u * pixel(item, i + 1, j)) +
         v * ((1 - u) * pixel(item, i, j + 1) + u * pixel(item, i + 1, j + 1));
}

}  // namespace

placement any_placement(std::mt19937_64& random) {
  placement p;
  p.scale = 0.5 + 0.7 * demo::uniform(random);
  p.angle = (2 * demo::uniform(random) - 1) * std::numbers::pi / 3;
  const double radius = item_side / 2.0 * p.scale, room = canvas_side - 2 * radius;
  p.x = radius + room * demo::uniform(random);
  p.y = radius + room * demo::uniform(random);
  return p;
}

void draw(const std::uint8_t* item, const placement& where, float* canvas) {
  const double cosine = std::cos(where.angle) / where.scale, sine = std::sin(where.angle) / where.scale;
  for (Eigen::Index y = 0; y < canvas_side; ++y)
    for (Eigen::Index x = 0; x < canvas_side; ++x) {
      const double dx = static_cast<double>(x) + 0.5 - where.x, dy = static_cast<double>(y) + 0.5 - where.y;
      const double from_x = cosine * dx + sine * dy + (item_side - 1) / 2.0,
                   from_y = cosine * dy - sine * dx + (item_side - 1) / 2.0;
      *canvas++ = static_cast<float>(sampled(item, from_x, from_y) / 255);
    }
}

void draw_all(const demo::image_set& items, std::span<const std::uint32_t> which, std::uint64_t seed,
              matrix<float>& canvases, std::vector<int>& labels) {
  canvases.resize(static_cast<Eigen::Index>(which.size()), canvas_side * canvas_side);
  labels.resize(which.size());
  for (std::size_t i = 0; i < which.size(); ++i) {
    std::seed_seq mixed{seed & 0xffffffff, seed >> 32, std::uint64_t{which[i]}};
    std::mt19937_64 random(mixed);
    draw(items.pixels.data() + which[i] * demo::image_pixels, any_placement(random),
         canvases.row(static_cast<Eigen::Index>(i)).data());
    labels[i] = items.labels[which[i]];
  }
}

}  // namespace deformable
