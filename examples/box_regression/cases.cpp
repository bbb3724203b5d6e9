// SPDX-License-Identifier: MIT
#include "cases.hpp"

#include "random.hpp"

#include <cmath>
#include <numbers>

namespace regression {
namespace {

constexpr double ratios[] = {1.0 / 4, 1.0 / 3, 1.0 / 2, 1, 2, 3, 4};  // width over height
constexpr double areas[] = {0.5, 0.67, 0.75, 1, 1.33, 1.5, 2};        // the scales, as the authors take them

box shaped(anchor_point at, double area, double ratio) {
  return {at.x, at.y, std::sqrt(area * ratio), std::sqrt(area / ratio)};
}

}  // namespace

std::vector<anchor_point> anchor_points(int count) {
  std::mt19937_64 random(1);
  std::vector<anchor_point> points;
  points.reserve(static_cast<std::size_t>(count));
  for (int i = 0; i < count; ++i) {
    const double r = radius * std::sqrt(demo::uniform(random)), angle = 2 * std::numbers::pi * demo::uniform(random);
    points.push_back({centre + r * std::cos(angle), centre + r * std::sin(angle)});
  }
  return points;
}

case_set cases_at(anchor_point point) {
  case_set set;
  for (const double target : ratios)
    for (const double area : areas)
      for (const double anchor : ratios) {
        set.anchors.push_back(shaped(point, area, anchor));
        set.targets.push_back(shaped({centre, centre}, 1, target));
      }
  return set;
}

double rate(int step) { return step < steps * 8 / 10 ? 0.1 : step < steps * 9 / 10 ? 0.01 : 0.001; }

}  // namespace regression
