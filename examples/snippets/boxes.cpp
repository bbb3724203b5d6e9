// SPDX-License-Identifier: MIT
// Box losses and overlaps.
#include <hone/hone.hpp>

#include "expect.hpp"

#include <vector>

namespace {

const std::vector<float> predicted{10, 10, 50, 60, 0, 0, 8, 8};
const std::vector<float> wanted{12, 8, 52, 58, 4, 4, 12, 12};

double training() {
  std::vector<float> gradient(predicted.size());
  const hone::index n = 2;
  // [losses]
  hone::cpu cpu;
  auto boxes = hone::matrix_view{wanted.data(), n, 4};
  double loss = hone::evaluate(cpu, hone::ciou_loss(boxes), hone::matrix_view{predicted.data(), n, 4},
                               {.gradient = {gradient.data(), n, 4}});
  // [/losses]
  return loss;
}

double heads() {
  const hone::index images = 1, height = 1, width = 2;
  const std::vector<float> head{30, 4, 35, 4, 40, 8, 50, 8}, targets{32, 8, 33, 8, 40, 8, 50, 8};
  const std::vector<float> weights{1, 0};
  std::vector<float> gradient(head.size());
  hone::cpu cpu;
  // [heads]
  // cx, cy, w and h in planes, as a convolution leaves them; cells without an object weigh nothing
  auto boxes = hone::image_view{targets.data(), images, 4, height, width};
  double loss = hone::evaluate(cpu, hone::weigh_rows(hone::giou_loss(boxes, hone::centers), weights),
                               hone::image_view{head.data(), images, 4, height, width},
                               {.gradient = {gradient.data(), images, 4, height, width}}, hone::mean_over(1));
  // [/heads]
  return loss;
}

std::vector<float> matching() {
  const hone::index anchors = 2, objects = 2;
  hone::cpu cpu;
  // [pairwise]
  std::vector<float> iou(anchors * objects);
  hone::pairwise_iou(cpu, hone::matrix_view{predicted.data(), anchors, 4}, {wanted.data(), objects, 4},
                     {iou.data(), anchors, objects});
  // [/pairwise]
  return iou;
}

std::vector<float> metric() {
  const hone::index n = 2;
  hone::cpu cpu;
  // [aligned]
  std::vector<float> iou(n);
  hone::aligned_iou(cpu, hone::matrix_view{predicted.data(), n, 4}, {wanted.data(), n, 4}, {iou.data(), n, 1},
                    hone::corners);
  // [/aligned]
  return iou;
}

double inner() {
  const hone::index n = 2;
  hone::cpu cpu;
  const auto boxes = hone::matrix_view{wanted.data(), n, 4};
  // [inner]
  auto loss =
      hone::ciou_loss(boxes) + hone::experimental::inner_iou_loss(boxes, {.ratio = 0.7}) + -1.0 * hone::iou_loss(boxes);
  // [/inner]
  return hone::evaluate(cpu, loss, hone::matrix_view{predicted.data(), n, 4});
}

}  // namespace

int main() {
  const double first = 1 - 38.0 * 48 / (2 * 2000 - 38 * 48) + (4.0 + 4) / (42 * 42 + 52 * 52);  // of equal shapes
  const double second = 1 - 16.0 / 112 + 32.0 / 288;
  expect(training(), (first + second) / 2, "ciou_loss");
  expect(heads(), 1 - 38.0 * 48 / (2 * 2000 - 38 * 48) + 8.0 / (42 * 52), "giou_loss of planes");
  const auto iou = matching();
  expect(iou[0], 38.0 * 48 / (2 * 2000 - 38 * 48), "the first IoU");
  expect(iou[3], 16.0 / 112, "the last IoU");
  expect(metric()[1], 16.0 / 112, "the IoU of a pair");
  const double inner_first = 1 - (28.0 - 2) * (35 - 2) / (2 * 28 * 35 - (28.0 - 2) * (35 - 2));
  const double inner_second = 1 - (5.6 - 4) * (5.6 - 4) / (2 * 5.6 * 5.6 - (5.6 - 4) * (5.6 - 4));
  expect(inner(), ((4.0 + 4) / (42 * 42 + 52 * 52) + 32.0 / 288 + inner_first + inner_second) / 2, "inner IoU");
  return failures;
}
