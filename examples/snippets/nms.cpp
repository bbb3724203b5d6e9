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

  // [images]
  const std::vector<int> images{0, 1, 0};  // of each row
  kept = hone::batched_nms(cpu, view, scores, classes, images, {.most = 100, .most_per_class = 20});
  // [/images]
  expect(kept == std::vector<hone::index>{0, 2, 1}, "what is kept of each image");

  // [layouts]
  const std::vector<float> head{4, 4, 8, 8, 0.6f, 5, 4, 8, 8, 0.9f, 25, 25, 10, 10, 0.3f};  // cx, cy, w, h and a score
  kept = hone::nms(cpu, hone::matrix_view{head.data(), 3, 4, 5}, hone::matrix_view{head.data() + 4, 3, 1, 5},
                   {.threshold = 0.5}, hone::centers);
  // [/layouts]
  expect(kept == std::vector<hone::index>{1, 2}, "what is kept of centers");

  // [diou]
  kept = hone::diou_nms(cpu, view, scores, {.threshold = 0.75});
  // [/diou]
  expect(kept == std::vector<hone::index>{1, 2}, "what is kept by DIoU");
  return failures;
}
