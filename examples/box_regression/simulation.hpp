// SPDX-License-Identifier: MIT
/// Boxes on their way, by every loss.
#pragma once

#include "cases.hpp"
#include "contestants.hpp"

#include <cstdint>

namespace regression {

/// What one loss did. Errors are Σ |cx - cx*| + |cy - cy*| + |w - w*| + |h - h*|.
struct outcome {
  std::string name = {};
  bool exact = false;
  std::vector<double> error = {};     // of all cases before the first step and after each: steps + 1
  std::vector<double> by_point = {};  // after the last step, of the cases at each point
  std::int64_t arrived = 0;           // cases with a final error below `near`

  std::string label() const { return exact ? name : name + ", darknet"; }
  double final_error() const { return error.back(); }
};
inline constexpr double near = 0.1;

struct results {
  std::vector<anchor_point> points = {};  // those that were finished
  std::vector<outcome> outcomes = {};     // of the contestants, in their order

  std::int64_t cases() const { return static_cast<std::int64_t>(points.size() * cases_per_point); }
};

/// The cases at one point, steps times
///   B <- B - η (2 - IoU) gradient of the loss
/// (algorithm 1). Adds to an outcome, one point to by_point.
void simulate(const hone::cpu& cpu, const contestant& c, anchor_point point, outcome& sum);

/// What is called now and then by the thread that began it, with the number of finished points.
using observer = std::function<void(std::size_t)>;

/// All contestants at all points; the numbers do not depend on the threads. Where interrupted() turns true, the points
/// that every contestant has finished.
results simulate(const std::vector<anchor_point>& points, int threads, const observer& progress);

}  // namespace regression
