// SPDX-License-Identifier: MIT
#include "contestants.hpp"

namespace regression {
namespace {

template <class Loss>
contestant enter(std::string name, bool exact, Loss loss) {
  return {std::move(name), exact,
          [loss](const hone::cpu& cpu, boxes_view targets, boxes_view boxes, std::span<const double> weights,
                 hone::matrix_view<double> gradient) {
            hone::evaluate(cpu, hone::weigh_rows(loss(targets), weights), boxes, {.gradient = gradient}, hone::sum);
          }};
}

}  // namespace

const std::vector<contestant>& contestants() {
  namespace darknet = hone::darknet_compat;
  constexpr bool exact = true;
  static const std::vector<contestant> all = {
      enter("IoU", exact, [](auto boxes) { return hone::iou_loss(boxes, hone::centers); }),
      enter("GIoU", exact, [](auto boxes) { return hone::giou_loss(boxes, hone::centers); }),
      enter("DIoU", exact, [](auto boxes) { return hone::diou_loss(boxes, hone::centers); }),
      enter("CIoU", exact, [](auto boxes) { return hone::ciou_loss(boxes, hone::centers); }),
      enter("EIoU", exact, [](auto boxes) { return hone::eiou_loss(boxes, hone::centers); }),
      enter("IoU", !exact, [](auto boxes) { return darknet::iou_loss(boxes, hone::centers); }),
      enter("GIoU", !exact, [](auto boxes) { return darknet::giou_loss(boxes, hone::centers); }),
      enter("DIoU", !exact, [](auto boxes) { return darknet::diou_loss(boxes, hone::centers); }),
      enter("CIoU", !exact, [](auto boxes) { return darknet::ciou_loss(boxes, hone::centers); }),
  };
  return all;
}

}  // namespace regression
