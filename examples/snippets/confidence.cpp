// SPDX-License-Identifier: MIT
// What docs/confidence.md shows.
#include <hone/hone.hpp>

#include "expect.hpp"

#include <algorithm>
#include <cmath>
#include <vector>

namespace {

double sigmoid(double x) { return 1 / (1 + std::exp(-x)); }
double bce(double x, double t) { return -t * std::log(sigmoid(x)) - (1 - t) * std::log(1 - sigmoid(x)); }

/// Σ weight · BCE over the logits that lie `stride` apart.
double summed(float const* logits, hone::index stride, std::vector<float> const& target,
              std::vector<float> const& weight) {
  double total = 0;
  for (std::size_t i = 0; i < target.size(); ++i)
    total += double(weight[i]) * bce(double(logits[hone::index(i) * stride]), double(target[i]));
  return total;
}

}  // namespace

int main() {
  const int images = 2;
  // [level]
  const std::vector<hone::anchor_size> anchors = {{10, 13}, {16, 30}, {33, 23}, {30, 61}, {62, 45}, {59, 119}};
  const hone::anchor_level level{.images = images,
                                 .rows = 8,
                                 .columns = 8,
                                 .stride = 16,
                                 .anchors = anchors,  // of all levels
                                 .first = 3,          // this one's: the last three
                                 .count = 3};
  const std::vector<hone::labelled_box> boxes = {
      {.image = 0, .label = 2, .x = 0.30, .y = 0.40, .width = 0.25, .height = 0.45},
      {.image = 1, .label = 0, .x = 0.71, .y = 0.52, .width = 0.50, .height = 0.35, .score = 0.6}};
  // [/level]

  // [slots]
  const hone::index slot = level.slot(1, 2, 5, 3);  // image 1, the level's third anchor, row 5, column 3
  const hone::slot_place place = level.at(slot);    // and back: {.image = 1, .anchor = 2, .row = 5, .column = 3}
  const hone::anchor_size anchor = level.anchor(place.anchor);  // {59, 119}
  // [/slots]
  expect(place == hone::slot_place{1, 2, 5, 3} && anchor.width == 59, "slots");
  // [labels]
  const hone::detections<float> batch = hone::detections_of(boxes, images, 128, 128);   // corners in pixels
  const std::vector<hone::labelled_box> again = hone::labelled_boxes(batch, 128, 128);  // and back
  // [/labels]
  expect(again.size() == boxes.size() && std::abs(again[1].x - boxes[1].x) < 1e-6, "labels");

  const hone::cpu cpu;
  const int classes = 3, channels = 5 + classes;  // x, y, w, h, objectness, classes
  const hone::index slots = level.slots();
  std::vector<float> head(static_cast<std::size_t>(slots * channels)), gradient = head;
  for (std::size_t i = 0; i < head.size(); ++i) head[i] = std::sin(float(i));
  std::vector<float> predicted;  // slots x 4, decoded
  for (hone::index i = 0; i < slots; ++i)
    for (const double x : {0.3, 0.4 + 0.001 * double(i % 64), 0.25, 0.45}) predicted.push_back(float(x));
  {
    std::vector<float> boxes_of_matches;
    const std::vector<float> ones(static_cast<std::size_t>(slots), 1);
    // [yolov5]
    const auto matches = hone::yolov5::match(level, boxes, {.ratio = 4});
    const auto cells = hone::boxes_in_cells(level, boxes, matches);  // matches x 4: what their boxes are regressed to
    // [/yolov5]
    for (std::size_t i = 0; i < cells.size(); ++i) boxes_of_matches.push_back(cells[i] + (i % 4 == 2 ? 0.5f : 0.0f));
    // [yolov5_targets]
    std::vector<float> losses(matches.size());
    hone::evaluate(cpu, hone::ciou_loss(hone::matrix_view{cells.data(), matches.size(), 4}, hone::centers),
                   hone::matrix_view{boxes_of_matches.data(), matches.size(), 4}, {.unreduced = losses.data()});
    std::vector<float> ious;
    for (const float loss : losses) ious.push_back(1 - loss);
    const auto target = hone::yolov5::objectness_targets(level, matches, ious);
    const hone::matrix_view logits{head.data() + 4, slots, 1, channels};  // where they lie
    double loss = hone::evaluate(cpu, hone::binary_cross_entropy(hone::matrix_view{target.data(), slots, 1}), logits,
                                 {.gradient = {gradient.data() + 4, slots, 1, channels}});
    // [/yolov5_targets]
    expect(matches.size() > 3, "yolov5: matches");
    expect(*std::max_element(target.begin(), target.end()) > 0.5f, "yolov5: targets");
    expect(loss, summed(head.data() + 4, channels, target, ones) / double(slots), "yolov5: loss");

    // [decoding]
    const auto decoding = hone::yolov5::decoding();
    const hone::matrix_view<const float> raw{head.data(), slots, channels};  // of which the first four are the box's
    const auto n = static_cast<hone::index>(matches.size());
    std::vector<float> decoded(4 * matches.size()), by_boxes(4 * matches.size());
    hone::decode_boxes(cpu, decoding, level, matches, raw, {decoded.data(), n, 4});
    double box_loss = hone::evaluate(cpu, hone::ciou_loss(hone::matrix_view{cells.data(), n, 4}, hone::centers),
                                     hone::matrix_view{decoded.data(), n, 4}, {.gradient = {by_boxes.data(), n, 4}});
    hone::chain_boxes(cpu, decoding, level, matches, raw, {by_boxes.data(), n, 4}, {gradient.data(), slots, channels});
    // [/decoding]
    expect(box_loss > 0 && box_loss < 3, "decoding: loss");
    double norm = 0;
    for (const auto& m : matches) norm += std::abs(double(gradient[std::size_t(m.slot * channels + 2)]));
    expect(norm > 0, "decoding: gradient");

    // [decoding_all]
    std::vector<float> in_image(static_cast<std::size_t>(slots) * 4), corners = in_image;
    hone::decode_boxes(cpu, decoding, level, raw, {in_image.data(), slots, 4}, hone::box_unit::image);
    hone::convert_boxes(cpu, hone::matrix_view{in_image.data(), slots, 4}, hone::centers, {corners.data(), slots, 4},
                        hone::corners);
    // [/decoding_all]
    expect(corners[2] - corners[0], in_image[2], "decoding: sides");

    const double fine_loss = 0.5, coarse_loss = 0.25;
    // [yolov5_balance]
    std::vector<double> balance = hone::yolov5::level_balance(3);  // 4, 1, 0.4
    const auto gains = hone::yolov5::scaled({.box = 0.05, .objectness = 1, .classes = 0.5}, 3, classes, 640);
    double total = gains.objectness * (balance[0] * fine_loss + balance[1] * loss + balance[2] * coarse_loss);
    hone::yolov5::autobalance(balance, std::vector{fine_loss, loss, coarse_loss}, 1);  // once per step
    // [/yolov5_balance]
    expect(total, 4 * fine_loss + loss + 0.4 * coarse_loss, "yolov5: balanced");
    expect(balance[1], 1, "yolov5: the reference");
  }
  {
    std::vector<float> class_scores(static_cast<std::size_t>(slots), 0.5f);
    // [yolov4]
    const auto matches = hone::yolov4::match(level, boxes, {.iou_threshold = 0.213});
    const auto c = hone::yolov4::objectness_targets(cpu, level, hone::matrix_view{predicted.data(), slots, 4}, boxes,
                                                    matches, {.ignore_threshold = 0.7, .class_scores = class_scores});
    auto objective =
        hone::weigh_rows(hone::binary_cross_entropy(hone::matrix_view{c.target.data(), slots, 1}), c.weight);
    double loss = hone::evaluate(cpu, objective, hone::matrix_view{head.data() + 4, slots, 1, channels}, {}, hone::sum);
    const auto shares = hone::yolov4::box_weights(boxes, matches);  // for hone::weigh_rows of the box loss
    // [/yolov4]
    expect(std::count(c.weight.begin(), c.weight.end(), 0.0f) > 3, "yolov4: ignored slots");
    expect(c.positives > 1, "yolov4: positives");
    expect(loss, summed(head.data() + 4, channels, c.target, c.weight), "yolov4: loss");
    expect(shares == std::vector<float>(matches.size(), 1), "yolov4: shares");
  }
  {
    const std::vector<float> iou_logits(static_cast<std::size_t>(slots), 0.25f);
    // [ppyolo]
    const auto matches = hone::ppyolo::match(level, boxes);
    const auto c = hone::ppyolo::objectness_targets(cpu, level, hone::matrix_view{predicted.data(), slots, 4}, boxes,
                                                    matches, {.ignore_threshold = 0.7});
    auto objective =
        hone::weigh_rows(hone::binary_cross_entropy(hone::matrix_view{c.target.data(), slots, 1}), c.weight);
    double loss = hone::evaluate(cpu, objective, hone::matrix_view{head.data() + 4, slots, 1, channels}, {},
                                 hone::mean_over(images));
    // [/ppyolo]
    expect(loss, summed(head.data() + 4, channels, c.target, c.weight) / 2, "ppyolo: loss");

    const std::vector<float> ious(matches.size(), 0.75f);  // of the matches' predicted boxes, as above
    // [iou_aware]
    const auto u = hone::ppyolo::iou_targets(level, boxes, matches, ious);
    auto aware = hone::weigh_rows(hone::binary_cross_entropy(hone::matrix_view{u.target.data(), slots, 1}), u.weight);
    double iou_loss =
        hone::evaluate(cpu, aware, hone::matrix_view{iou_logits.data(), slots, 1}, {}, hone::mean_over(images));
    // [/iou_aware]
    expect(iou_loss, summed(iou_logits.data(), 1, u.target, u.weight) / 2, "iou_aware: loss");

    // [fused_confidence]
    std::vector<float> confidence(static_cast<std::size_t>(slots));
    hone::fused_confidence(cpu, hone::matrix_view{head.data() + 4, slots, 1, channels},
                           hone::matrix_view{iou_logits.data(), slots, 1},
                           hone::matrix_view{confidence.data(), slots, 1}, {.alpha = 0.5, .logits = false});
    // [/fused_confidence]
    expect(double(confidence[7]), std::sqrt(sigmoid(double(head[4 + 7 * channels])) * sigmoid(0.25)), "fused");
  }
  {
    // [binary_labels]
    std::vector<int> labels = {2, 0};
    auto ultralytics = hone::binary_cross_entropy(hone::classes(labels), hone::smooth_binary(0.1));    // 0.95 and 0.05
    auto paddle = hone::binary_cross_entropy(hone::classes(labels), hone::ppyolo::smooth_binary(80));  // δ = 1/80
    // [/binary_labels]
    const hone::matrix_view logits{head.data(), 2, 3};
    const auto expected = [&](double positive, double negative) {
      double total = 0;
      for (int i = 0; i < 6; ++i)
        total += bce(double(head[std::size_t(i)]), labels[std::size_t(i / 3)] == i % 3 ? positive : negative);
      return total;
    };
    expect(hone::evaluate(cpu, ultralytics, logits, {}, hone::sum), expected(0.95, 0.05), "smooth_binary");
    expect(hone::evaluate(cpu, paddle, logits, {}, hone::sum), expected(1 - 1.0 / 80, 1.0 / 80),
           "smooth_binary of ppyolo");
  }
  return failures;
}
