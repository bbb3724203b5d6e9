// SPDX-License-Identifier: MIT
#include "drawing.hpp"
#include "pictures.hpp"

#include <hone/cpu.hpp>
#include <hone/policies.hpp>

#include <cstddef>
#include <vector>

namespace pictures {
namespace {

constexpr hone::index side = 8;  // cells
constexpr double stride = 16, pixels = side * stride;
const std::vector<hone::anchor_size> anchors{{92, 80}};
const std::vector<hone::labelled_box> boxes{
    {.image = 0, .label = 0, .x = 0.5125, .y = 0.5375, .width = 0.7, .height = 0.6}};

/// What each slot learns: targets as numbers, a weight of 0 as a pale cell.
void grid(drawing& d, double left, const char* title, const std::vector<float>& target,
          const std::vector<float>& weight) {
  constexpr double top = 28, cell = 28;
  d.text(left, 18, "start", title, "title");
  for (hone::index slot = 0; slot < side * side; ++slot) {
    const double x = left + cell * static_cast<double>(slot % side), y = top + cell * static_cast<double>(slot / side);
    const auto i = static_cast<std::size_t>(slot);
    if (weight[i] == 0) d.rectangle("f2 pale", x, y, cell, cell);
    d.rectangle("grid box", x, y, cell, cell);
  }
  const double scale = cell * side;
  for (const hone::labelled_box& b : boxes) {
    d.rectangle("c1 box", left + scale * (b.x - b.width / 2), top + scale * (b.y - b.height / 2), scale * b.width,
                scale * b.height);
    d.circle("f1", {left + scale * b.x, top + scale * b.y}, 2.5);
  }
  for (hone::index slot = 0; slot < side * side; ++slot)
    if (const double number = target[static_cast<std::size_t>(slot)]; number > 0)
      d.text(left + cell * (static_cast<double>(slot % side) + 0.5),
             top + cell * (static_cast<double>(slot / side) + 0.7), "middle", format("%.2g", number));
}

}  // namespace

std::string confidence() {
  const hone::anchor_level level{.images = 1, .rows = side, .columns = side, .stride = stride, .anchors = anchors};
  std::vector<float> predicted;  // every slot: its anchor, in the middle of its cell
  for (hone::index slot = 0; slot < level.slots(); ++slot)
    for (const double number :
         {(static_cast<double>(slot % side) + 0.5) / side, (static_cast<double>(slot / side) + 0.5) / side,
          anchors[0].width / pixels, anchors[0].height / pixels})
      predicted.push_back(static_cast<float>(number));
  const hone::matrix_view<const float> all{predicted.data(), level.slots(), 4};

  const auto of_five = hone::yolov5::match(level, boxes);
  const auto cells = hone::boxes_in_cells(level, boxes, of_five);
  std::vector<float> matched, losses(of_five.size()), ious;
  for (std::size_t i = 0; i < of_five.size(); ++i)
    for (const double number : {0.5, 0.5, anchors[0].width / stride, anchors[0].height / stride})
      matched.push_back(static_cast<float>(number));
  const auto n = static_cast<hone::index>(of_five.size());
  hone::evaluate(hone::cpu(1), hone::ciou_loss(hone::matrix_view{cells.data(), n, 4}, hone::centers),
                 hone::matrix_view{matched.data(), n, 4}, {.unreduced = losses.data()});
  for (const float loss : losses) ious.push_back(1 - loss);

  const auto four = hone::yolov4::objectness_targets(level, all, boxes, hone::yolov4::match(level, boxes), {});
  const auto paddle = hone::ppyolo::objectness_targets(level, all, boxes, hone::ppyolo::match(level, boxes), {});
  drawing d(720, 262, "The objectness of a level of 8 x 8 cells with one box");
  grid(d, 12, "yolov5", hone::yolov5::objectness_targets(level, of_five, ious), std::vector<float>(side * side, 1.0f));
  grid(d, 248, "yolov4", four.target, four.weight);
  grid(d, 484, "ppyolo", paddle.target, paddle.weight);
  return d.svg();
}

}  // namespace pictures
