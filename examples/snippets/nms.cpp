// SPDX-License-Identifier: MIT
// The examples of docs/detection.md.
#include <hone/hone.hpp>

#include "expect.hpp"

#include <vector>

int main() {
  // [nms]
  const std::vector<float> boxes{0, 0, 8, 8, 1, 0, 9, 8, 20, 20, 30, 30};  // three rows of x1, y1, x2, y2
  const std::vector<float> scores{0.6f, 0.9f, 0.3f};
  const hone::cpu cpu;
  const hone::matrix_view view{boxes.data(), 3, 4};
  std::vector<hone::index> kept = hone::nms(cpu, view, scores, {.threshold = 0.5});  // 1, 2
  // [/nms]
  expect(kept == std::vector<hone::index>{1, 2}, "what is kept");

  // [classes]
  const std::vector<int> classes{3, 7, 3};
  kept = hone::batched_nms(cpu, view, scores, classes, {.threshold = 0.5, .score_threshold = 0.05, .most = 300});
  // [/classes]
  expect(kept == std::vector<hone::index>{1, 0, 2}, "what is kept of each class");

  // [diou]
  kept = hone::diou_nms(cpu, view, scores, {.threshold = 0.75});
  // [/diou]
  expect(kept == std::vector<hone::index>{1, 2}, "what is kept by DIoU");
  return failures;
}
