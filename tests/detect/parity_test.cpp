// SPDX-License-Identifier: MIT
// Matching and confidence losses against the results of other libraries for the same heads and boxes.
#include <hone/hone.hpp>

#include <support/numbers.hpp>

#include "ppyolo_values.hpp"
#include "yolov5_values.hpp"

#include <doctest/doctest.h>

#include <cmath>
#include <span>
#include <vector>

namespace {

namespace values = parity_values;
using hone::matrix_view;

constexpr hone::index images = 2, classes = 3, channels = 5 + classes;
constexpr int grids[] = {8, 4, 2}, strides[] = {8, 16, 32};

/// The boxes of parity_values.py.
std::vector<hone::labelled_box> boxes(hone::index count) {
  const auto unit = [](hone::index i) { return support::noise(i) / 8 + 0.5; };
  const auto square = [](double x) { return x * x; };
  std::vector<hone::labelled_box> all;
  all.reserve(std::size_t(count) + 3);
  for (hone::index i = 0; i < count; ++i)
    all.push_back({.image = i % images,
                   .label = i % classes,
                   .x = unit(5 * i),
                   .y = unit(5 * i + 1),
                   .width = square(unit(5 * i + 2)),
                   .height = square(unit(5 * i + 3))});
  all.push_back({.image = 0, .label = 1, .x = 0, .y = 0.5, .width = 0.25, .height = 0.25});
  all.push_back({.image = 1, .label = 2, .x = 1, .y = 1, .width = 0.5, .height = 0.5});
  all.push_back(all[0]);
  all.back().image = 0, all.back().label = 2;
  return all;
}

/// Those that PaddleDetection is asked with: inside of the image, and not all of them count.
std::vector<hone::labelled_box> scored_boxes() {
  std::vector<hone::labelled_box> all = boxes(12);
  for (std::size_t i = 0; i < all.size(); ++i) all[i].score = 0.25 * double(i % 5);
  std::erase_if(all, [](hone::labelled_box const& b) { return !(0 < b.x && b.x < 1 && 0 < b.y && b.y < 1); });
  return all;
}

double sigmoid(double x) { return 1 / (1 + std::exp(-x)); }

/// Largest distance, relative to 1 + the expected number.
template <class Numbers, class Expected>
double distance(Numbers const& seen, Expected const& expected) {
  REQUIRE(std::size(seen) == std::size(expected));
  double worst = 0;
  for (std::size_t i = 0; i < std::size(seen); ++i)
    worst = std::max(worst, std::abs(double(seen[i]) - double(expected[i])) / (1 + std::abs(double(expected[i]))));
  return worst;
}

/// One level of YOLOv5's head, and everything that its loss makes of it, by hone.
struct yolov5_level {
  hone::cpu cpu{1};
  std::vector<hone::anchor_size> anchors;
  hone::anchor_level level;
  std::vector<double> head;
  std::vector<hone::anchor_match> matches;
  std::vector<float> cells;
  std::vector<double> ious;
  double box_loss = 0, class_loss = 0;

  yolov5_level(std::size_t i, std::vector<hone::anchor_size> sizes, std::vector<hone::labelled_box> const& labelled)
      : anchors(std::move(sizes)),
        level{.images = images, .rows = grids[i], .columns = grids[i], .stride = strides[i], .anchors = anchors},
        head(support::noise(10000 * hone::index(i), level.slots() * channels)),
        matches(hone::yolov5::match(level, labelled)),
        cells(hone::boxes_in_cells(level, labelled, matches)) {
    const auto n = hone::index(matches.size());
    std::vector<double> predicted, logits, losses(matches.size());
    std::vector<int> labels;
    for (hone::anchor_match const& m : matches) {
      const double* at = head.data() + m.slot * channels;
      const hone::anchor_size a = anchors[std::size_t(m.anchor)];
      for (int k = 0; k < 2; ++k) predicted.push_back(2 * sigmoid(at[k]) - 0.5);
      for (int k = 0; k < 2; ++k)
        predicted.push_back(4 * std::pow(sigmoid(at[2 + k]), 2) * (k ? a.height : a.width) / level.stride);
      logits.insert(logits.end(), at + 5, at + channels);
      labels.push_back(int(labelled[std::size_t(m.box)].label));
    }
    const std::vector<double> cells_as_double(cells.begin(), cells.end());
    box_loss = hone::evaluate(cpu, hone::ciou_loss(matrix_view{cells_as_double.data(), n, 4}, hone::centers),
                              matrix_view{predicted.data(), n, 4}, {.unreduced = losses.data()});
    ious.reserve(losses.size());
    for (const double loss : losses) ious.push_back(1 - loss);
    class_loss = hone::evaluate(cpu, hone::binary_cross_entropy(hone::classes(labels), hone::smooth_binary(0.1)),
                                matrix_view{logits.data(), n, classes});
  }

  matrix_view<const double> objectness() const { return {head.data() + 4, level.slots(), 1, channels}; }
};

}  // namespace

TEST_CASE("YOLOv5 matches, targets, losses, gradients and balance equal those of the original") {
  const auto labelled = boxes(12);
  const yolov5_level levels[] = {
      {0, {{6, 9}, {12, 7}}, labelled}, {1, {{14, 24}, {30, 15}}, labelled}, {2, {{40, 44}, {60, 30}}, labelled}};
  const std::span<const int> matches[] = {values::yolov5_matches_0, values::yolov5_matches_1, values::yolov5_matches_2};
  const std::span<const double> cells[] = {values::yolov5_cells_0, values::yolov5_cells_1, values::yolov5_cells_2};
  const std::span<const double> targets[] = {values::yolov5_objectness_0, values::yolov5_objectness_1,
                                             values::yolov5_objectness_2};
  const std::span<const double> gradients[] = {values::yolov5_gradient_0, values::yolov5_gradient_1,
                                               values::yolov5_gradient_2};
  const auto gains = hone::yolov5::scaled({}, 3, 80, 640);
  std::vector<double> balance = hone::yolov5::level_balance(3), losses;
  double box_loss = 0, objectness_loss = 0, class_loss = 0;
  for (std::size_t i = 0; i < 3; ++i) {
    CAPTURE(i);
    yolov5_level const& l = levels[i];
    std::vector<int> seen;
    for (hone::anchor_match const& m : l.matches)
      for (const hone::index x : {m.image, m.anchor, m.row, m.column, labelled[std::size_t(m.box)].label.value})
        seen.push_back(int(x));
    CHECK(seen == std::vector<int>(matches[i].begin(), matches[i].end()));
    CHECK(distance(l.cells, cells[i]) < 1e-7);  // they are float

    const auto target = hone::yolov5::objectness_targets(l.level, l.matches, l.ious);
    CHECK(distance(target, targets[i]) < 3e-7);  // float, and YOLOv5 adds 1e-7 to areas
    const auto n = l.level.slots();
    std::vector<double> gradient(std::size_t(n), 0.0);
    const auto objective = hone::binary_cross_entropy(matrix_view{target.data(), n, 1});
    const double images_of_batch = 2;  // YOLOv5 multiplies its loss by the images of the batch
    losses.push_back(hone::evaluate(l.cpu, objective, l.objectness()));
    hone::evaluate(l.cpu, (images_of_batch * gains.objectness * balance[i]) * objective, l.objectness(),
                   {.gradient = {gradient.data(), n, 1}});
    CHECK(distance(gradient, gradients[i]) < 3e-7);
    objectness_loss += gains.objectness * balance[i] * losses.back();
    box_loss += gains.box * l.box_loss;
    class_loss += gains.classes * l.class_loss;
  }
  CHECK(distance(std::vector{box_loss, objectness_loss, class_loss}, values::yolov5_losses) < 1e-6);
  hone::yolov5::autobalance(balance, losses, 1);
  CHECK(distance(balance, values::yolov5_balance) < 1e-9);

  const auto best = hone::yolov5::objectness_targets(levels[0].level, levels[0].matches, levels[0].ious,
                                                     {.ratio = 0.75, .best_wins = true});
  CHECK(distance(best, values::yolov5_best_objectness_0) < 3e-7);
}

TEST_CASE("YOLOv5 losses of a batch without boxes equal those of the original") {
  double loss = 0;
  const auto balance = hone::yolov5::level_balance(3);
  for (std::size_t i = 0; i < 3; ++i) {
    const yolov5_level l(i, {{6, 9}, {12, 7}}, {});
    const auto target = hone::yolov5::objectness_targets(l.level, l.matches, l.ious);
    loss +=
        balance[i] * hone::evaluate(l.cpu, hone::binary_cross_entropy(matrix_view{target.data(), l.level.slots(), 1}),
                                    l.objectness());
    CHECK((l.box_loss == 0 && l.class_loss == 0));
  }
  CHECK(distance(std::vector{0.0, loss, 0.0}, values::yolov5_losses_of_nothing) < 1e-9);
}

TEST_CASE("PP-YOLO matches and scores equal those of the original") {
  const std::vector<hone::anchor_size> anchors{{6, 9}, {12, 7}, {14, 24}, {30, 15}, {40, 44}, {60, 30}};
  const hone::anchor_level level{
      .images = images, .rows = 8, .columns = 8, .stride = 8, .anchors = anchors, .count = 2};
  const auto labelled = scored_boxes();
  const auto scores = [&](std::vector<hone::anchor_match> const& matches) {
    std::vector<double> all(std::size_t(level.slots()));
    for (hone::anchor_match const& m : matches) all[std::size_t(m.slot)] = labelled[std::size_t(m.box)].score;
    return all;
  };
  const auto matches = hone::ppyolo::match(level, labelled, {.iou_threshold = 0.2});
  CHECK(distance(scores(matches), values::ppyolo_score) == 0);
  CHECK(distance(scores(hone::ppyolo::match(level, labelled)), values::ppyolo_best_score) == 0);
  const auto cells = hone::boxes_in_cells(level, labelled, matches);
  std::vector<double> x(std::size_t(level.slots())), log_width = x;
  for (std::size_t k = 0; k < matches.size(); ++k) {
    x[std::size_t(matches[k].slot)] = double(cells[4 * k]);
    log_width[std::size_t(matches[k].slot)] =
        std::log(double(cells[4 * k + 2]) * level.stride / anchors[std::size_t(matches[k].anchor)].width);
  }
  CHECK(distance(x, values::ppyolo_x) < 1e-6);
  CHECK(distance(log_width, values::ppyolo_log_width) < 1e-6);
}

TEST_CASE("PP-YOLO objectness and IoU losses and their gradients equal those of the original") {
  const std::vector<hone::anchor_size> anchors{{6, 9}, {12, 7}, {14, 24}, {30, 15}, {40, 44}, {60, 30}};
  const hone::anchor_level level{
      .images = images, .rows = 8, .columns = 8, .stride = 8, .anchors = anchors, .count = 2};
  const auto labelled = scored_boxes();
  const auto matches = hone::ppyolo::match(level, labelled, {.iou_threshold = 0.2});
  const auto n = level.slots();
  const auto head = support::noise(0, n * 6);  // x, y, w, h, objectness, IoU
  const hone::cpu cpu(1);

  std::vector<double> predicted, of_matches, targets, losses(matches.size());
  for (hone::index i = 0; i < n; ++i) {
    const double* at = head.data() + 6 * i;
    const hone::anchor_size a = anchors[std::size_t(i / 64 % 2)];
    for (const double x : {(sigmoid(at[0]) + double(i % 8)) / 8, (sigmoid(at[1]) + double(i / 8 % 8)) / 8,
                           std::exp(at[2] / 2) * a.width / 64, std::exp(at[3] / 2) * a.height / 64})
      predicted.push_back(x);
  }
  for (hone::anchor_match const& m : matches) {
    of_matches.insert(of_matches.end(), predicted.begin() + 4 * m.slot, predicted.begin() + 4 * m.slot + 4);
    hone::labelled_box const& b = labelled[std::size_t(m.box)];
    targets.insert(targets.end(), {b.x, b.y, b.width, b.height});
  }
  hone::evaluate(cpu, hone::iou_loss(matrix_view{targets.data(), matches.size(), 4}, hone::centers),
                 matrix_view{of_matches.data(), matches.size(), 4}, {.unreduced = losses.data()});
  std::vector<double> ious;
  ious.reserve(losses.size());
  for (const double loss : losses) ious.push_back(1 - loss);

  const auto check = [&](hone::confidence_targets const& c, int channel, std::span<const double> loss,
                         std::span<const double> expected) {
    std::vector<double> gradient(std::size_t(n), 0.0);
    const auto objective = hone::weigh_rows(hone::binary_cross_entropy(matrix_view{c.target.data(), n, 1}), c.weight);
    const double value = hone::evaluate(cpu, objective, matrix_view{head.data() + channel, n, 1, 6},
                                        {.gradient = {gradient.data(), n, 1}}, hone::mean_over(images));
    CHECK(value == doctest::Approx(loss[0]).epsilon(1e-6));
    CHECK(distance(gradient, expected) < 3e-7);  // targets and weights are float
  };
  check(hone::ppyolo::objectness_targets(level, matrix_view{predicted.data(), n, 4}, labelled, matches,
                                         {.ignore_threshold = 0.4}),
        4, values::ppyolo_objectness_loss, values::ppyolo_objectness_gradient);
  check(hone::ppyolo::iou_targets(level, labelled, matches, ious), 5, values::ppyolo_iou_loss,
        values::ppyolo_iou_gradient);
}

TEST_CASE("PP-YOLO smoothed labels and fused confidences equal those of the original") {
  const hone::cpu cpu(1);
  const auto logits = support::noise(0, 3);
  const std::vector<int> label{1};
  std::vector<double> losses(3);
  const auto of = [&](int K) {
    hone::evaluate(cpu, hone::binary_cross_entropy(hone::classes(label), hone::ppyolo::smooth_binary(K)),
                   matrix_view{logits.data(), 1, 3}, {.unreduced = losses.data()});
    return losses;
  };
  CHECK(distance(of(3), values::ppyolo_class_loss) < 1e-7);  // its targets are float
  CHECK(distance(of(80), values::ppyolo_class_loss_of_80) < 1e-7);

  std::vector<double> a = support::noise(0, 24), b = support::noise(100, 24), out(24);
  for (double& x : a) x *= 4;
  for (double& x : b) x *= 4;
  const auto fused = [&](double alpha, bool as_logits) {
    hone::fused_confidence(cpu, matrix_view{a.data(), 24, 1}, matrix_view{b.data(), 24, 1},
                           matrix_view{out.data(), 24, 1}, {.alpha = alpha, .logits = as_logits});
    return out;
  };
  CHECK(distance(fused(0.4, false), values::ppyolo_fused_4) < 3e-8);  // its exponents are float
  CHECK(distance(fused(0.5, false), values::ppyolo_fused_5) < 1e-14);
  CHECK(distance(fused(0.4, true), values::ppyolo_fused_logit_4) < 1e-7);
  CHECK(distance(fused(0.5, true), values::ppyolo_fused_logit_5) < 1e-9);  // it takes 1 / p - 1
  a = {-50, 50}, b = a, out.resize(2);
  hone::fused_confidence(cpu, matrix_view{a.data(), 2, 1}, matrix_view{b.data(), 2, 1}, matrix_view{out.data(), 2, 1},
                         {.logits = true});
  CHECK(distance(out, values::ppyolo_fused_logit_of_extremes) < 1e-8);
}
