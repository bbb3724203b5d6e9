// SPDX-License-Identifier: MIT
#include "recipes.hpp"

namespace detection {
namespace {

template <class Row>
auto rows_of(std::vector<Row>& rows) {
  static_assert(sizeof(Row) == 4 * sizeof(float));
  return hone::matrix_view{reinterpret_cast<float*>(rows.data()), rows.size(), 4};
}

/// A loss of elements, over all cells and classes, divided by the positives.
template <class Loss>
class_loss over_positives(Loss loss) {
  return [loss](const hone::cpu& cpu, const class_batch& b) {
    const auto targets = hone::classes(b.labels, {.ignore = assignment::ignored});         // hone
    const auto count = hone::mean_over(b.positives);                                       // hone
    return hone::evaluate(cpu, loss(targets), b.logits, {.gradient = b.gradient}, count);  // hone
  };
}

/// A loss of boxes, through the decoding: value and gradient by the box from hone, the rest by the chain rule.
template <class Loss>
box_loss decoded(double weight, Loss loss) {
  return [weight, loss](const hone::cpu& cpu, box_batch& b) {
    std::vector<centred<float>> boxes(b.codes.size()), by_box(b.codes.size());
    for (std::size_t i = 0; i < boxes.size(); ++i) boxes[i] = b.codes[i].box(b.cells[i]);
    const auto objective = weight * loss(rows_of(b.targets), hone::centers);                             // hone
    const double value = hone::evaluate(cpu, objective, rows_of(boxes), {.gradient = rows_of(by_box)});  // hone
    b.gradient.resize(boxes.size());
    for (std::size_t i = 0; i < boxes.size(); ++i) b.gradient[i] = b.codes[i].chain(b.cells[i], by_box[i]);
    return value;
  };
}

/// Smooth L1 (Girshick 2015, arXiv 1504.08083) of the cells' own numbers, summed over the four: what was used before
/// losses of boxes.
double smooth_l1(const hone::cpu&, box_batch& b) {
  const auto count = static_cast<float>(b.codes.size());
  double value = 0;
  b.gradient.assign(b.codes.size(), {});
  for (std::size_t i = 0; i < b.codes.size(); ++i) {
    const cell_code<float> wanted = cell_code<float>::of(b.cells[i], b.targets[i]);
    for (float cell_code<float>::* part :
         {&cell_code<float>::x, &cell_code<float>::y, &cell_code<float>::w, &cell_code<float>::h}) {
      const float gap = b.codes[i].*part - wanted.*part, size = std::abs(gap);
      value += (size < 1 ? gap * gap / 2 : size - 0.5f) / count;
      b.gradient[i].*part = std::clamp(gap, -1.0f, 1.0f) / count;
    }
  }
  return value;
}

}  // namespace

std::vector<recipe> all_recipes() {
  constexpr double weight = 2;  // of 1 - metric, against the loss of the classes
  const class_loss focal =
      over_positives([](auto t) { return hone::sigmoid_focal_loss(t, {.alpha = 0.25, .gamma = 2}); });  // hone
  const class_loss balanced =
      over_positives([](auto t) { return hone::sigmoid_focal_loss(t, {.alpha = 0.75, .gamma = 0}); });  // hone
  const class_loss plain = over_positives([](auto t) { return hone::binary_cross_entropy(t); });        // hone
  const box_loss giou = decoded(weight, [](auto... x) { return hone::giou_loss(x...); });               // hone
  return {
      {"giou", "focal loss, GIoU", focal, giou},
      {"smooth_l1", "focal loss, smooth L1 of the cells' numbers", focal, smooth_l1},
      {"iou", "focal loss, 1 - IoU", focal, decoded(weight, [](auto... x) { return hone::iou_loss(x...); })},  // hone
      {"diou", "focal loss, DIoU", focal, decoded(weight, [](auto... x) { return hone::diou_loss(x...); })},   // hone
      {"ciou", "focal loss, CIoU", focal, decoded(weight, [](auto... x) { return hone::ciou_loss(x...); })},   // hone
      {"eiou", "focal loss, EIoU", focal, decoded(weight, [](auto... x) { return hone::eiou_loss(x...); })},   // hone
      {"siou", "focal loss, SIoU", focal, decoded(weight, [](auto... x) { return hone::siou_loss(x...); })},   // hone
      {"bce", "plain cross-entropy, GIoU", plain, giou},
      {"balanced_bce", "cross-entropy with weights 0.75 and 0.25, GIoU", balanced, giou},
  };
}

}  // namespace detection
