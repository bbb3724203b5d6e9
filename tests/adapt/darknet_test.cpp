// SPDX-License-Identifier: MIT
// A stand-in has the names, types and layouts of darknet's `layer` (include/darknet.h); darknet itself is not needed.
#include <hone/adapt/darknet.hpp>
#include <hone/hone.hpp>
#include "../support/message.hpp"

#include <doctest/doctest.h>

#include <algorithm>
#include <cmath>
#include <functional>
#include <string>
#include <vector>

namespace {

using support::message;

const hone::cpu cpu;

/// Members of darknet's struct layer.
struct layer {
  int batch = 0, inputs = 0, outputs = 0;
  int h = 0, w = 0, c = 0, out_h = 0, out_w = 0, out_c = 0, n = 0, groups = 0, classes = 0, total = 0;
  float temperature = 0;
  int* mask = nullptr;
  float* biases = nullptr;
  float* output = nullptr;
  float* delta = nullptr;
  float* cost = nullptr;
  void* softmax_tree = nullptr;
};

/// A layer with memory: its input, output, delta and cost.
struct owned_layer {
  layer l;
  std::vector<float> input, output, delta;
  float cost = -1;

  owned_layer(int batch, int outputs) : input(std::size_t(batch * outputs)), output(input), delta(input.size(), 77.F) {
    l.batch = batch, l.inputs = l.outputs = outputs;
    for (std::size_t i = 0; i < input.size(); ++i) input[i] = 1.5F * float(std::sin(1.7 * double(i)));
    output = input;
    l.output = output.data(), l.delta = delta.data(), l.cost = &cost;
  }
};

/// darknet's softmax_x_ent_cpu on probabilities: delta = truth - pred, and the sum of -log pred.
double softmax_x_ent(int n, float const* x, int truth, float* delta) {
  double all = 0;
  for (int i = 0; i < n; ++i) all += std::exp(double(x[i]));
  for (int i = 0; i < n; ++i) delta[i] = float((i == truth ? 1 : 0) - std::exp(double(x[i])) / all);
  return -std::log(std::exp(double(x[truth])) / all);
}

TEST_CASE("the delta of a softmax layer is darknet's: minus the gradient, summed over the batch") {
  const int batch = 4, groups = 2, classes = 5;
  owned_layer s(batch, groups * classes);
  s.l.groups = groups, s.l.temperature = 1;
  const std::vector<int> labels = {0, 3, 2, 2, 4, 1, 0, 0};  // one per group
  std::vector<float> expected(s.delta.size());
  double cost = 0;
  for (std::size_t r = 0; r < labels.size(); ++r)
    cost += softmax_x_ent(classes, s.input.data() + r * classes, labels[r], expected.data() + r * classes);
  const double found = hone::adapt::delta(cpu, hone::cross_entropy(hone::classes(labels)), s.l, s.input.data());
  CHECK(found == doctest::Approx(cost).epsilon(1e-6));
  CHECK(s.cost == float(found));
  for (std::size_t i = 0; i < expected.size(); ++i)
    CHECK(s.delta[i] == doctest::Approx(double(expected[i])).epsilon(1e-5));
  CHECK(s.delta[0] > 0);  // the label's: towards a larger logit
}

TEST_CASE("twice the batch has the same delta per sample: darknet divides in its update") {
  owned_layer one(1, 4), two(2, 4);
  std::copy_n(one.input.data(), 4, two.output.data());
  std::copy_n(one.input.data(), 4, two.output.data() + 4);
  const std::vector<int> label = {2}, labels = {2, 2};
  const double loss = hone::adapt::delta(cpu, hone::cross_entropy(hone::smooth(hone::classes(label), 0.1)), one.l);
  CHECK(hone::adapt::delta(cpu, hone::cross_entropy(hone::smooth(hone::classes(labels), 0.1)), two.l) ==
        doctest::Approx(2 * loss));
  for (std::size_t i = 0; i < 8; ++i) CHECK(two.delta[i] == one.delta[i % 4]);
}

TEST_CASE("delta is the negative of evaluate's gradient, bit by bit, of rows and of pixels") {
  owned_layer s(3, 4 * 6);
  s.l.out_c = 4, s.l.out_h = 2, s.l.out_w = 3;
  std::vector<int> labels(18);
  for (std::size_t i = 0; i < labels.size(); ++i) labels[i] = i % 5 == 0 ? -1 : int(i % 4);
  const auto objective = hone::cross_entropy(hone::smooth(hone::classes(labels, {.ignore = -1}), 0.1));
  const auto pixels = hone::adapt::pixels_of(s.l);
  CHECK((pixels.images == 3 && pixels.channels == 4 && pixels.pixels == 6 && pixels.data == s.l.output));
  std::vector<float> gradient(s.delta.size());
  const double loss = hone::evaluate(cpu, objective, pixels, {.gradient = {gradient.data(), 3, 4, 6}}, hone::sum);
  CHECK(hone::adapt::delta(cpu, objective, s.l, pixels) == loss);
  for (std::size_t i = 0; i < gradient.size(); ++i) CHECK(s.delta[i] == -gradient[i]);
}

TEST_CASE("what darknet has and hone has not is an error, and writes nothing") {
  owned_layer s(2, 4);
  const std::vector<int> labels = {1, 2}, wrong = {1, 4};
  const auto objective = hone::cross_entropy(hone::classes(labels));
  const auto error = [&](auto const& change) {
    owned_layer broken = s;
    broken.l.delta = broken.delta.data(), broken.l.output = broken.output.data(), broken.l.cost = &broken.cost;
    change(broken.l);
    std::string text = message([&] { hone::adapt::delta(cpu, objective, broken.l); });
    CHECK(broken.delta == std::vector<float>(8, 77.F));
    CHECK(broken.cost == -1);
    return text;
  };
  CHECK(error([](layer& l) { l.groups = 1; }) ==
        "delta: layer.output of a softmax layer are probabilities, give the layer's input");
  CHECK(error([](layer& l) { l.temperature = 2; }) ==
        "delta: layer.temperature is 2, must be 1: the softmax of a loss has no temperature");
  CHECK(error([](layer& l) { l.softmax_tree = &l; }) == "delta: layer.softmax_tree is set, hone has no such softmax");
  CHECK(error([](layer& l) { l.delta = nullptr; }) == "delta: layer.delta is null");
  CHECK(error([](layer& l) { l.output = nullptr; }) == "rows_of: layer.output is null, and no other numbers are given");
  CHECK(error([](layer& l) { l.batch = -1; }) == "rows_of: layer.batch is -1, must be at least 0");
  CHECK(message([&] { hone::adapt::delta(cpu, hone::cross_entropy(hone::classes(wrong)), s.l); }) ==
        "evaluate: the label of row 1 is 4, must be in [0, 4)");
  CHECK(s.delta == std::vector<float>(8, 77.F));
  CHECK(message([&] { hone::adapt::pixels_of(s.l); }) ==
        "pixels_of: layer.outputs is 4, must be out_c x out_h x out_w, 0 x 0 x 0");
  CHECK(message([&] { hone::adapt::delta(cpu, objective, s.l, hone::matrix_view(s.l.output, 2, 3)); }) ==
        "delta: prediction is 2 x 3, the layer has 2 x 4 numbers");
  s.l.groups = 3;
  CHECK(message([&] { hone::adapt::rows_of(s.l); }) ==
        "rows_of: layer.outputs is 4, must be a multiple of layer.groups, 3");
}

TEST_CASE("a layer without a cost, and one without samples") {
  owned_layer s(2, 3);
  s.l.cost = nullptr;
  const std::vector<int> labels = {0, 1}, none;
  CHECK(hone::adapt::delta(cpu, hone::cross_entropy(hone::classes(labels)), s.l) > 0);
  s.l.batch = 0;
  CHECK(hone::adapt::delta(cpu, hone::cross_entropy(hone::classes(none)), s.l) == 0);
}

/// darknet's entry_index.
int entry_index(layer const& l, int batch, int location, int entry) {
  const int n = location / (l.w * l.h), loc = location % (l.w * l.h);
  return batch * l.outputs + n * l.w * l.h * (4 + l.classes + 1) + entry * l.w * l.h + loc;
}

/// A yolo layer of 2 images, 3 of 6 anchors, 4 x 5 cells of 16 pixels and 3 classes.
struct yolo : owned_layer {
  std::vector<float> anchors = {10, 13, 16, 30, 33, 23, 30, 61, 62, 45, 59, 59};
  std::vector<int> chosen = {3, 4, 5};

  yolo() : owned_layer(2, 3 * 8 * 20) {
    l.h = 4, l.w = 5, l.n = 3, l.classes = 3, l.total = 6;
    l.biases = anchors.data(), l.mask = chosen.data();
  }
  hone::adapt::yolo_level level() const { return {l, 80, 64}; }
};

std::vector<hone::labelled_box> some_boxes() {
  return {{.image = 0, .label = 2, .x = 0.32, .y = 0.41, .width = 0.55, .height = 0.75},
          {.image = 1, .label = 0, .x = 0.71, .y = 0.52, .width = 0.70, .height = 0.65, .score = 0.6},
          {.image = 1, .label = 1, .x = 0.11, .y = 0.92, .width = 0.45, .height = 0.95}};
}

TEST_CASE("slots are in darknet's entry_index") {
  yolo y;
  const auto level = y.level();
  CHECK(level.level().slots() == 2 * 3 * 20);
  CHECK(level.level().stride.value == 16);
  CHECK(level.level().anchor(1).width == 62);
  const auto slots = hone::adapt::slots_of(y.l);
  for (int b = 0; b < 2; ++b)
    for (int a = 0; a < 3; ++a)
      for (int cell = 0; cell < 20; ++cell)
        for (int entry = 0; entry < 8; ++entry) {
          const hone::index slot = level.level().slot(b, a, cell / 5, cell % 5);
          CHECK(slots.data + (slot / slots.pixels * slots.channels + entry) * slots.pixels + slot % slots.pixels ==
                y.l.output + entry_index(y.l, b, a * 20 + cell, entry));
        }
}

TEST_CASE("the delta of a yolo layer is minus the derivative of its cost, with no factor 2") {
  yolo y;
  const auto level = y.level();
  const auto boxes = some_boxes();
  hone::adapt::yolo_loss_options options{.box = 0.5, .objectness = 1.5, .classes = 0.75, .iou_threshold = 0.3};
  options.scale_x_y = 1.1;
  options.labels = hone::smooth_binary(0.1);
  options.confidence.ignore_threshold = 0.3;
  const auto losses = hone::adapt::yolo_delta(cpu, y.l, y.input.data(), level.level(), boxes, options);
  CHECK(losses.matches > 3);
  CHECK((losses.box > 0 && losses.objectness > 0 && losses.classes > 0));
  CHECK(y.cost == float(losses.total()));
  const auto delta = y.delta;
  CHECK(std::count(delta.begin(), delta.end(), 77.F) == 0);  // all written

  // An IoU that changes does not change the targets of objectness by a small step, so that differences are exact.
  int boxes_checked = 0;
  for (std::size_t i = 0; i < delta.size(); ++i) {
    const bool is_box = i / 20 % 8 < 4;
    if (is_box ? delta[i] == 0 : i % 7 != 0) continue;
    const float step = 4e-3F, x = y.input[i];
    y.input[i] = x + step;
    const auto above = hone::adapt::yolo_delta(cpu, y.l, y.input.data(), level.level(), boxes, options);
    y.input[i] = x - step;
    const auto below = hone::adapt::yolo_delta(cpu, y.l, y.input.data(), level.level(), boxes, options);
    y.input[i] = x;
    // CIoU's alpha is a constant of its gradient, so boxes are compared with another loss below.
    if (!is_box)
      CHECK(double(delta[i]) ==
            doctest::Approx((below.total() - above.total()) / (2 * double(step))).epsilon(2e-3).scale(0.1));
    boxes_checked += is_box;
  }
  CHECK(boxes_checked >= 16);

  const auto iou = [](hone::matrix_view<const float> targets) { return hone::iou_loss(targets, hone::centers); };
  hone::adapt::yolo_delta(cpu, y.l, y.input.data(), level.level(), boxes, options, iou);
  const auto by_iou = y.delta;
  double most = 0;
  for (std::size_t i = 0; i < by_iou.size(); ++i) {
    if (i / 20 % 8 >= 4 || by_iou[i] == 0) continue;
    const float step = 2e-3F, x = y.input[i];
    y.input[i] = x + step;
    const double above = hone::adapt::yolo_delta(cpu, y.l, y.input.data(), level.level(), boxes, options, iou).box;
    y.input[i] = x - step;
    const double below = hone::adapt::yolo_delta(cpu, y.l, y.input.data(), level.level(), boxes, options, iou).box;
    y.input[i] = x;
    most = std::max(most, std::abs((below - above) / (2 * double(step)) - double(by_iou[i])));
  }
  CHECK(most < 2e-3);

  // darknet's own gradient of the same loss has twice the slope by w or h of boxes that overlap.
  const auto fault = [](hone::matrix_view<const float> targets) {
    return hone::darknet_compat::iou_loss(targets, hone::centers);
  };
  hone::adapt::yolo_delta(cpu, y.l, y.input.data(), level.level(), boxes, options, fault);
  double factor = 0;
  for (std::size_t i = 0; i < by_iou.size(); ++i)
    if (const std::size_t entry = i / 20 % 8; (entry == 2 || entry == 3) && std::abs(by_iou[i]) > 0.01F)
      factor = std::max(factor, double(y.delta[i] / by_iou[i]));
  CHECK(factor == doctest::Approx(2).epsilon(0.01));
}

TEST_CASE("a yolo layer without boxes has background alone") {
  yolo y;
  const auto level = y.level();
  const auto losses = hone::adapt::yolo_delta(cpu, y.l, y.input.data(), level.level(), {});
  CHECK((losses.box == 0 && losses.classes == 0 && losses.matches == 0));
  double objectness = 0;
  for (int b = 0; b < 2; ++b)
    for (int location = 0; location < 60; ++location)
      for (int entry = 0; entry < 8; ++entry) {
        const auto i = std::size_t(entry_index(y.l, b, location, entry));
        const double p = 1 / (1 + std::exp(-double(y.input[i])));
        CHECK(double(y.delta[i]) == doctest::Approx(entry == 4 ? -p : 0).epsilon(1e-5));  // darknet: 0 - l.output
        if (entry == 4) objectness -= std::log(1 - p);
      }
  CHECK(losses.objectness == doctest::Approx(objectness).epsilon(1e-6));
}

TEST_CASE("the numbers of a yolo layer are checked, and nothing is written") {
  yolo y;
  const auto level = y.level();
  auto boxes = some_boxes();
  boxes[1].label = 3;
  CHECK(message([&] { hone::adapt::yolo_delta(cpu, y.l, y.input.data(), level.level(), boxes); }) ==
        "yolo_delta: the label of box 1 is 3, must be in [0, 3)");
  CHECK(message([&] { hone::adapt::yolo_delta(cpu, y.l, nullptr, level.level(), {}); }) ==
        "yolo_delta: raw is null, give the layer's input");
  CHECK(message([&] { hone::adapt::yolo_delta(cpu, y.l, y.input.data(), level.level(), {}, {.box = -1}); }) ==
        "yolo_delta: box is -1, must be finite and not negative");
  CHECK(message([&] {
          hone::adapt::yolo_delta(cpu, y.l, y.input.data(), level.level(), some_boxes(), {.labels = {.positive = 2}});
        }) == "binary_cross_entropy: positive is 2, must be in [0, 1]");
  CHECK(message([&] {
          auto other = level.level();
          other.columns = 4;
          hone::adapt::yolo_delta(cpu, y.l, y.input.data(), other, {});
        }) == "yolo_delta: the level has 2 x 3 x 4 x 4 slots and the layer 2 x 3 x 4 x 5");
  CHECK(y.delta == std::vector<float>(y.delta.size(), 77.F));

  CHECK(message([&] { hone::adapt::yolo_level(y.l, 80, 80); }) ==
        "yolo_level: 80 x 80 pixels on 5 x 4 cells, the cells must be square");
  y.chosen[2] = 1;
  CHECK(message([&] { y.level(); }) ==
        "yolo_level: layer.mask[2] is 1, must be 5: anchors of a level must be consecutive");
  y.chosen[2] = 5, y.l.classes = 80;
  CHECK(message([&] { y.level(); }) ==
        "yolo_level: layer.outputs is 480, must be n x (5 + classes) x h x w, 3 x 85 x 4 x 5");
}

TEST_CASE("the page") {
  owned_layer last(2, 4);
  last.l.groups = 1;
  layer& l = last.l;
  const std::vector<int> labels = {1, 2};
  const float* input = last.input.data();  // net.input; in AlexeyAB's and hank-ai's forks, state.input
  // [softmax]
  const auto objective = hone::cross_entropy(hone::smooth(hone::classes(labels), 0.1));
  hone::adapt::delta(cpu, objective, l, input);  // in forward_softmax_layer, in place of softmax_x_ent_cpu
  // [/softmax]
  CHECK(last.cost > 0);
  {
    yolo y;
    layer& head = y.l;
    const float* raw = y.input.data();
    const auto boxes = some_boxes();
    const int net_w = 80, net_h = 64;
    // [yolo]
    const hone::adapt::yolo_level level(head, net_w, net_h);
    const auto losses = hone::adapt::yolo_delta(cpu, head, raw, level.level(), boxes,
                                                {.box = 0.07, .iou_threshold = 0.213, .scale_x_y = 1.05});
    // [/yolo]
    CHECK(losses.total() > 0);
  }
}

}  // namespace
