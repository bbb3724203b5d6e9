// SPDX-License-Identifier: MIT
/// The cases of Zheng et al. 2020 (arXiv 1911.08287, section 3.3) and how a box moves in them. What the paper leaves
/// open is taken from its authors' program, test_1715k.m of github.com/Zzh-tju/DIoU.
#pragma once

#include <array>
#include <cstddef>
#include <vector>

namespace regression {

/// (cx, cy, w, h)
using box = std::array<double, 4>;

struct anchor_point {
  double x, y;
};

inline constexpr int all_points = 5000, steps = 200;
inline constexpr std::size_t cases_per_point = 7 * 7 * 7;
inline constexpr double centre = 10, radius = 3;

/// The first `count` of a fixed sequence, uniform in the disc.
std::vector<anchor_point> anchor_points(int count);

/// Target boxes of area 1 and seven shapes at the centre; for each, anchors of seven areas and seven shapes at the
/// point.
struct case_set {
  std::vector<box> anchors, targets;  // cases_per_point each
};
case_set cases_at(anchor_point point);

/// η: 0.1, from step 160 on 0.01, from step 180 on 0.001.
double rate(int step);

}  // namespace regression
