// SPDX-License-Identifier: MIT
#include "drawing.hpp"
#include "pictures.hpp"

#include <hone/cpu.hpp>
#include <hone/policies.hpp>

#include <algorithm>
#include <cmath>
#include <cstdlib>

namespace pictures {
namespace {

/// Logits of a plane with a square of `in`, others of -`in`; its centre is `shift` columns to the right of the plane's.
std::vector<double> square_of_logits(int plane, int side, int shift, double in) {
  std::vector<double> logits(static_cast<std::size_t>(plane * plane), -in);
  const int first = (plane - side) / 2;
  for (int y = first; y < first + side; ++y)
    for (int x = first + shift; x < first + shift + side; ++x) logits[static_cast<std::size_t>(y * plane + x)] = in;
  return logits;
}

std::vector<double> square_of_targets(int plane, int side) {
  std::vector<double> targets = square_of_logits(plane, side, 0, 1);
  for (double& t : targets) t = std::max(t, 0.0);
  return targets;
}

struct answer {
  double loss;
  std::vector<double> gradient;
};

template <class Objective>
answer evaluate(const Objective& objective, const std::vector<double>& logits, int classes, int plane) {
  answer a{0, std::vector<double>(logits.size())};
  a.loss = hone::evaluate(hone::cpu(1), objective, hone::image_view{logits.data(), 1, classes, plane, plane},
                          {.gradient = {a.gradient.data(), 1, classes, plane, plane}});
  return a;
}

/// Five losses of a mask of one channel.
answer of_kind(int kind, const std::vector<double>& targets, const std::vector<double>& logits, int plane) {
  const hone::image_view wanted{targets.data(), 1, 1, plane, plane};
  switch (kind) {
    case 0:
      return evaluate(hone::binary_cross_entropy(wanted), logits, 1, plane);
    case 1:
      return evaluate(hone::sigmoid_dice_loss(wanted), logits, 1, plane);
    case 2:
      return evaluate(hone::sigmoid_jaccard_loss(wanted), logits, 1, plane);
    case 3:
      return evaluate(hone::sigmoid_tversky_loss(wanted), logits, 1, plane);
    default:
      return evaluate(hone::sigmoid_focal_tversky_loss(wanted), logits, 1, plane);
  }
}

constexpr const char* names[] = {"binary_cross_entropy", "sigmoid_dice_loss", "sigmoid_jaccard_loss",
                                 "sigmoid_tversky_loss", "sigmoid_focal_tversky_loss"};

}  // namespace

std::string region_losses() {
  constexpr int side = 16, plane = 40, large = 64;
  drawing d(720, 340, "Region losses of masks");
  const panel a{40, 30, 300, 210, 0, 2, 0, 1}, b{405, 30, 300, 210, 0, 6, -1, 3};
  d.axes(a, "loss of a predicted square", ticks(0, 2, 0.5), ticks(0, 1, 0.25), "its side over the target's");
  d.axes(b, "gradient by one pixel, times all pixels",
         {{0, "1"}, {1, "1/4"}, {2, "1/16"}, {3, "1/64"}, {4, "1/256"}, {5, "1/1024"}},
         {{-1, "0.1"}, {0, "1"}, {1, "10"}, {2, "100"}, {3, "1000"}}, "share of the object in the image");
  std::vector<series> all;
  for (int kind = 0; kind < 5; ++kind) {
    series loss{names[kind], kind, {}, kind == 0}, slope = loss;
    for (int s = 0; s <= 2 * side; s += 2)
      loss.points.push_back(
          {s / double(side),
           of_kind(kind, square_of_targets(plane, side), square_of_logits(plane, s, 0, 4), plane).loss});
    for (int s = large; s >= 1; s = s > 8 ? s - 4 : s - 1) {  // one pixel is undecided, all others are found
      const auto targets = square_of_targets(large, s);
      auto logits = square_of_logits(large, s, 0, 6);
      const auto pixel = static_cast<std::size_t>((large - s) / 2 * (large + 1));
      logits[pixel] = 0;
      const double by = of_kind(kind, targets, logits, large).gradient[pixel];
      slope.points.push_back(
          {std::log(large * large / double(s * s)) / std::log(4.0), std::log10(std::abs(by) * large * large)});
    }
    d.curve(a, loss);
    d.curve(b, slope);
    all.push_back(loss);
  }
  d.legend(40, 300, all);
  return d.svg();
}

std::string lovasz() {
  constexpr int side = 12, plane = 40;
  const std::vector<double> targets = square_of_targets(plane, side);
  std::vector<int> labels;
  for (const double t : targets) labels.push_back(t > 0.5);
  const auto target = hone::classes(labels);
  const std::vector<double> object{0, 1};  // the background is left out
  const auto of = [&](int kind, int shift, double logit) {
    std::vector<double> two = square_of_logits(plane, side, shift, -logit / 2);
    const std::vector<double> second = square_of_logits(plane, side, shift, logit / 2);
    two.insert(two.end(), second.begin(), second.end());
    return kind == 1 ? evaluate(hone::lovasz_softmax_loss(target, {.weights = object}), two, 2, plane).loss
                     : evaluate(hone::jaccard_loss(target, {.weights = object}), two, 2, plane).loss;
  };
  const auto decided = [](int shift) {  // 1 - IoU of two squares
    const double both = side * std::max(0, side - shift);
    return 1 - both / (2.0 * side * side - both);
  };
  std::vector<series> all{
      {"1 - IoU of the decisions", 0, {}, true}, {"lovasz_softmax_loss", 1, {}}, {"jaccard_loss", 2, {}}};
  std::vector<series> sure = all;
  for (int shift = 0; shift <= 13; ++shift) {
    all[0].points.push_back({double(shift), decided(shift)});
    for (const int kind : {1, 2}) all[std::size_t(kind)].points.push_back({double(shift), of(kind, shift, 4)});
  }
  for (int i = 0; i <= 40; ++i) {
    const double logit = 0.2 * i;
    sure[0].points.push_back({logit, decided(3)});
    for (const int kind : {1, 2}) sure[std::size_t(kind)].points.push_back({logit, of(kind, 3, logit)});
  }
  drawing d(720, 320, "The Lovász extension and the soft Jaccard loss");
  const panel a{40, 30, 300, 210, 0, 13, 0, 1}, b{405, 30, 300, 210, 0, 8, 0, 1};
  d.axes(a, "loss of a shifted square, probability 0.98", ticks(0, 12, 3), ticks(0, 1, 0.25),
         "shift; the square's side is 12");
  d.axes(b, "loss of a shift of 3", ticks(0, 8, 2), ticks(0, 1, 0.25), "logit: how sure the network is");
  for (const series& s : all) d.curve(a, s);
  for (const series& s : sure) d.curve(b, s);
  d.legend(40, 306, all);
  return d.svg();
}

}  // namespace pictures
