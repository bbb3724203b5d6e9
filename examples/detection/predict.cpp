// SPDX-License-Identifier: MIT
#include "predict.hpp"

#include "cells.hpp"

#include <numeric>

namespace detection {
namespace {

rectangle on_canvas(const centred<float>& b) {
  const auto held = [](float x) { return std::clamp(static_cast<double>(x), 0.0, double(canvas_side)); };
  return {held(b.cx - b.w / 2), held(b.cy - b.h / 2), held(b.cx + b.w / 2), held(b.cy + b.h / 2)};
}

void sort_by_score(std::vector<detected>& boxes, std::size_t most) {
  std::stable_sort(boxes.begin(), boxes.end(), [](const detected& a, const detected& b) { return a.score > b.score; });
  if (boxes.size() > most) boxes.resize(most);
}

}  // namespace

std::vector<hone::index> suppressed(const hone::cpu& cpu, const std::vector<detected>& boxes, double threshold) {
  const std::size_t n = boxes.size();
  std::vector<rectangle> corners;
  for (const detected& d : boxes) corners.push_back(d.box);
  std::vector<double> overlap(n * n);
  const hone::matrix_view<const double> all{n > 0 ? &corners[0].x1 : nullptr, n, 4};
  hone::pairwise_iou(cpu, all, all, hone::matrix_view{overlap.data(), n, n});  // hone

  std::vector<std::size_t> order(n), kept;
  std::iota(order.begin(), order.end(), std::size_t(0));
  std::stable_sort(order.begin(), order.end(),
                   [&](std::size_t a, std::size_t b) { return boxes[a].score > boxes[b].score; });
  for (const std::size_t i : order)
    if (std::none_of(kept.begin(), kept.end(),
                     [&](std::size_t k) { return boxes[k].label == boxes[i].label && overlap[k * n + i] > threshold; }))
      kept.push_back(i);
  return {kept.begin(), kept.end()};
}

std::vector<detected> predictions(const hone::cpu& cpu, const network& net, Eigen::Index image,
                                  const prediction_options& options) {
  std::vector<detected> candidates, kept;
  for (int label = 0; label < net.classes(); ++label)
    for (int cell = 0; cell < cells; ++cell) {
      const double score = 1 / (1 + std::exp(-static_cast<double>(net.logits()(image, label * cells + cell))));
      if (score < options.least_score) continue;
      const auto number = [&](int k) { return net.boxes()(image, k * cells + cell); };
      const cell_code<float> code{number(0), number(1), number(2), number(3)};
      candidates.push_back({on_canvas(code.box(cell)), label, score});
    }
  sort_by_score(candidates, options.most_candidates);
  for (const hone::index i : suppressed(cpu, candidates, options.threshold))
    kept.push_back(candidates[static_cast<std::size_t>(i)]);
  if (kept.size() > options.most) kept.resize(options.most);
  return kept;
}

}  // namespace detection
