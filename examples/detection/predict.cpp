// SPDX-License-Identifier: MIT
#include "predict.hpp"

#include "cells.hpp"

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
  std::vector<rectangle> corners;
  std::vector<double> scores;
  std::vector<int> labels;
  for (const detected& d : boxes) {
    corners.push_back(d.box);
    scores.push_back(d.score);
    labels.push_back(d.label);
  }
  const hone::matrix_view<const double> all{corners.empty() ? nullptr : &corners[0].x1, corners.size(), 4};
  return hone::batched_nms(cpu, all, scores, labels, {.threshold = threshold});  // hone
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
