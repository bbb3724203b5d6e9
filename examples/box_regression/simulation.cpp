// SPDX-License-Identifier: MIT
#include "simulation.hpp"

#include "interrupt.hpp"

#include <algorithm>
#include <atomic>
#include <cmath>
#include <optional>
#include <thread>

namespace regression {
namespace {

constexpr std::size_t points_per_block = 4;  // added up in order, block after block

std::vector<outcome> nothing_yet() {
  std::vector<outcome> all;
  for (const contestant& c : contestants()) {
    outcome o{.name = c.name, .exact = c.exact};
    o.error.assign(steps + 1, 0);
    all.push_back(std::move(o));
  }
  return all;
}

double error_of(const box& b, const box& target) {
  double sum = 0;
  for (std::size_t i = 0; i < b.size(); ++i) sum += std::abs(b[i] - target[i]);
  return sum;
}

void add(const outcome& block, outcome& sum) {
  for (std::size_t i = 0; i < sum.error.size(); ++i) sum.error[i] += block.error[i];
  sum.by_point.insert(sum.by_point.end(), block.by_point.begin(), block.by_point.end());
  sum.arrived += block.arrived;
}

}  // namespace

void simulate(const hone::cpu& cpu, const contestant& c, anchor_point point, outcome& sum) {
  case_set cases = cases_at(point);
  std::vector<box>&boxes = cases.anchors, &targets = cases.targets;
  constexpr auto n = static_cast<hone::index>(cases_per_point);
  std::vector<box> gradient(cases_per_point);
  std::vector<double> missed(cases_per_point), weights(cases_per_point);
  const boxes_view here(boxes[0].data(), n, 4), there(targets[0].data(), n, 4);
  const auto error = [&] {
    double all = 0;
    for (std::size_t i = 0; i < cases_per_point; ++i) all += error_of(boxes[i], targets[i]);
    return all;
  };
  sum.error[0] += error();
  double last = 0;
  for (int step = 0; step < steps; ++step) {
    hone::evaluate(cpu, hone::iou_loss(there, hone::centers), here, {.unreduced = missed.data()}, hone::sum);
    for (std::size_t i = 0; i < cases_per_point; ++i) weights[i] = rate(step) * (1 + missed[i]);
    c.gradient(cpu, there, here, weights, {gradient[0].data(), n, 4});
    for (std::size_t i = 0; i < cases_per_point; ++i)
      for (std::size_t k = 0; k < 4; ++k) boxes[i][k] -= gradient[i][k];
    sum.error[static_cast<std::size_t>(step) + 1] += last = error();
  }
  sum.by_point.push_back(last);
  for (std::size_t i = 0; i < cases_per_point; ++i) sum.arrived += error_of(boxes[i], targets[i]) < near ? 1 : 0;
}

results simulate(const std::vector<anchor_point>& points, int threads, const observer& progress) {
  const std::size_t count = (points.size() + points_per_block - 1) / points_per_block;
  std::vector<std::optional<std::vector<outcome>>> blocks(count);
  std::atomic<std::size_t> next{0}, finished{0};
  const auto end_of = [&](std::size_t block) { return std::min((block + 1) * points_per_block, points.size()); };
  const auto drain = [&](bool tells) {
    const hone::cpu cpu(1);
    for (std::size_t block = next++; block < count; block = next++) {
      std::vector<outcome> sums = nothing_yet();
      for (std::size_t p = block * points_per_block; p < end_of(block); ++p)
        for (std::size_t c = 0; c < sums.size(); ++c) {
          if (demo::interrupted()) return;
          simulate(cpu, contestants()[c], points[p], sums[c]);
        }
      finished += end_of(block) - block * points_per_block;
      blocks[block] = std::move(sums);
      if (tells) progress(finished);
    }
  };
  {
    std::vector<std::jthread> helpers;  // joined on leaving, also if starting one fails
    for (int i = 1; i < threads; ++i) helpers.emplace_back([&] { drain(false); });
    drain(true);
  }
  results all{.outcomes = nothing_yet()};
  for (std::size_t block = 0; block < count; ++block) {
    if (!blocks[block]) continue;
    for (std::size_t c = 0; c < all.outcomes.size(); ++c) add((*blocks[block])[c], all.outcomes[c]);
    for (std::size_t p = block * points_per_block; p < end_of(block); ++p) all.points.push_back(points[p]);
  }
  return all;
}

}  // namespace regression
