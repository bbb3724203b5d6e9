// SPDX-License-Identifier: MIT
#include "drawing.hpp"
#include "pictures.hpp"

#include <hone/hone.hpp>

#include <algorithm>
#include <array>
#include <cmath>
#include <cstddef>
#include <numeric>

namespace pictures {
namespace {

constexpr double reach = 8;  // of the logits that are drawn
constexpr int places = 161;

/// The loss of each row of logits x, 0, 0, …, and its gradient by the first logit, over x.
struct answer {
  std::vector<point> loss, slope;
};

template <class Objective>
answer of_first_logit(const Objective& objective, hone::index columns) {
  std::vector<double> logits(static_cast<std::size_t>(places * columns)), gradient(logits.size()), losses(places);
  const auto x = [](int i) { return reach * (2.0 * i / (places - 1) - 1); };
  for (int i = 0; i < places; ++i) logits[static_cast<std::size_t>(i * columns)] = x(i);
  hone::evaluate(hone::cpu(1), objective, hone::matrix_view{logits.data(), places, columns},
                 {.gradient = {gradient.data(), places, columns}, .unreduced = losses.data()}, hone::sum);
  answer a;
  for (int i = 0; i < places; ++i) {
    a.loss.push_back({x(i), losses[static_cast<std::size_t>(i)]});
    a.slope.push_back({x(i), gradient[static_cast<std::size_t>(i * columns)]});
  }
  return a;
}

struct contestant {
  std::string name;
  int colour;
  answer curves;
  bool dashed = false;
};

/// The loss on the left, its gradient on the right, names below.
std::string pair(const std::string& title, const std::vector<contestant>& all, std::array<double, 2> loss_range,
                 std::array<double, 2> slope_range, double slope_step, const std::string& x_label) {
  drawing d(720, 320, title);
  const panel left{40, 30, 300, 210, -reach, reach, loss_range[0], loss_range[1]};
  const panel right{405, 30, 300, 210, -reach, reach, slope_range[0], slope_range[1]};
  d.axes(left, "loss", ticks(-reach, reach, 4), ticks(loss_range[0], loss_range[1], 1), x_label);
  d.axes(right, "gradient", ticks(-reach, reach, 4), ticks(slope_range[0], slope_range[1], slope_step), x_label);
  std::vector<series> names;
  for (const contestant& c : all) {
    d.curve(left, {c.name, c.colour, c.curves.loss, c.dashed});
    d.curve(right, {c.name, c.colour, c.curves.slope, c.dashed});
    names.push_back({c.name, c.colour, {}, c.dashed});
  }
  d.legend(40, 306, names);
  return d.svg();
}

}  // namespace

std::string label_smoothing() {
  const std::vector<int> labels(places, 0);
  const auto target = hone::classes(labels);
  const auto of = [](const auto& t) { return of_first_logit(hone::cross_entropy(t), 10); };
  return pair("Cross entropy of ten classes with smoothed labels",
              {{"labels", 0, of(target), true},
               {"ε = 0.1", 1, of(hone::smooth(target, 0.1))},
               {"ε = 0.1, leave one out", 2, of(hone::smooth(target, 0.1, hone::leave_one_out)), true},
               {"ε = 0.3", 3, of(hone::smooth(target, 0.3))}},
              {0, 6}, {-1, 0.4}, 0.2, "logit of the label, above nine others");
}

std::string focal_loss() {
  const std::vector<double> ones(places, 1.0);
  const hone::matrix_view target{ones.data(), places, 1};
  const auto of = [&](double gamma) {
    return of_first_logit(hone::sigmoid_focal_loss(target, {.alpha = -1, .gamma = gamma}), 1);
  };
  return pair(
      "Focal loss of a positive",
      {{"γ = 0: cross entropy", 0, of(0), true}, {"γ = 0.5", 2, of(0.5)}, {"γ = 2", 1, of(2)}, {"γ = 5", 3, of(5)}},
      {0, 5}, {-1.2, 0}, 0.2, "logit of a positive");
}

std::string soft_target_focal_loss() {
  const std::vector<int> labels(places, 0);
  const auto target = hone::smooth(hone::classes(labels), 0.3);
  const auto of = [](const auto& loss) { return of_first_logit(loss, 10); };
  return pair("Focal losses of a smoothed target",
              {{"cross_entropy", 0, of(hone::cross_entropy(target)), true},
               {"softmax_focal_loss", 2, of(hone::softmax_focal_loss(target))},
               {"soft_target_focal_loss", 1, of(hone::soft_target_focal_loss(target))}},
              {0, 5}, {-1, 0.4}, 0.2, "logit of the label, above nine others");
}

std::string poly1() {
  const std::vector<double> ones(places, 1.0);
  const hone::matrix_view target{ones.data(), places, 1};
  const auto of = [&](double epsilon) {
    return of_first_logit(hone::poly1_binary_cross_entropy(target, {.epsilon = epsilon}), 1);
  };
  return pair(
      "Poly-1 loss of a positive",
      {{"ε = 0: cross entropy", 0, of(0), true}, {"ε = -1", 2, of(-1)}, {"ε = 1", 3, of(1)}, {"ε = 2", 1, of(2)}},
      {0, 6}, {-1.2, 0}, 0.2, "logit of a positive");
}

std::string asymmetric_loss() {
  const std::vector<double> zeros(places, 0.0);
  const hone::matrix_view target{zeros.data(), places, 1};
  const auto of = [&](double gamma, double clip) {
    return of_first_logit(hone::asymmetric_loss(target, {.gamma_negative = gamma, .clip = clip}), 1);
  };
  return pair("Asymmetric loss of a negative",
              {{"cross entropy", 0, of(0, 0), true},
               {"γ₋ = 4", 2, of(4, 0)},
               {"γ₋ = 4, clip 0.05", 1, of(4, 0.05)},
               {"γ₋ = 4, clip 0.2", 3, of(4, 0.2)}},
              {0, 6}, {0, 1.6}, 0.2, "logit of a negative");
}

std::string distribution_focal_loss() {
  constexpr hone::index bins = 8;
  constexpr std::array<double, 2> distances{2.25, 5.5};
  drawing d(720, 260, "What distribution focal loss asks of eight bins");
  for (std::size_t k = 0; k < distances.size(); ++k) {
    const std::vector<double> logits(bins, 0.0), wanted(1, distances[k]);
    std::vector<double> gradient(bins);
    hone::evaluate(hone::cpu(1), hone::distribution_focal_loss(wanted), hone::matrix_view{logits.data(), 1, bins},
                   {.gradient = {gradient.data(), 1, bins}});
    const panel p{40 + 365.0 * static_cast<double>(k), 30, 300, 180, -0.5, 7.5, -0.2, 0.8};
    d.axes(p, format("descent from equal logits, distance %g", distances[k]), ticks(0, 7, 1), ticks(-0.2, 0.8, 0.2),
           "bin");
    std::vector<point> tops;
    for (hone::index i = 0; i < bins; ++i)
      tops.push_back({static_cast<double>(i), -gradient[static_cast<std::size_t>(i)]});
    d.bars(p, tops, 0.6, 2);
    d.line("c1 dashed", {p.px(distances[k]), p.top}, {p.px(distances[k]), p.top + p.height});
  }
  return d.svg();
}

std::string distillation() {
  constexpr hone::index classes = 6;
  const std::vector<double> teacher{6, 3.5, 2, 1, 0, -1}, student(classes, 0.0);
  constexpr std::array<double, 3> temperatures{1, 2, 4};
  drawing d(720, 240, "A teacher's probabilities at three temperatures");
  for (std::size_t k = 0; k < temperatures.size(); ++k) {
    std::vector<double> gradient(classes);
    const double T = temperatures[k];
    hone::evaluate(hone::cpu(1), hone::distillation(hone::matrix_view{teacher.data(), 1, classes}, T),
                   hone::matrix_view{student.data(), 1, classes}, {.gradient = {gradient.data(), 1, classes}});
    std::vector<point> tops;  // the gradient is T (s - t), of a student with equal probabilities s
    for (std::size_t i = 0; i < teacher.size(); ++i)
      tops.push_back({static_cast<double>(i), 1.0 / classes - gradient[i] / T});
    const panel p{40 + 235.0 * static_cast<double>(k), 30, 195, 165, -0.5, 5.5, 0, 1};
    d.axes(p, format("T = %g", T), ticks(0, 5, 1), ticks(0, 1, 0.25), "class");
    d.bars(p, tops, 0.6, 2);
  }
  return d.svg();
}

std::string quality_losses() {
  const std::vector<double> qualities(places, 0.7), zeros(places, 0.0);
  const hone::matrix_view box{qualities.data(), places, 1}, background{zeros.data(), places, 1};
  return pair("Quality focal and varifocal loss",
              {{"cross entropy, 0.7", 0, of_first_logit(hone::binary_cross_entropy(box), 1), true},
               {"quality, 0.7", 1, of_first_logit(hone::quality_focal_loss(box), 1)},
               {"varifocal, 0.7", 2, of_first_logit(hone::varifocal_loss(box), 1)},
               {"quality, 0", 1, of_first_logit(hone::quality_focal_loss(background), 1), true},
               {"varifocal, 0", 2, of_first_logit(hone::varifocal_loss(background), 1), true}},
              {0, 5}, {-0.8, 1.2}, 0.4, "logit; a quality of 0.7 is that of 0.85");
}

std::string z_loss() {
  constexpr int classes = 10, count = 161;
  const std::vector<int> labels(count, 0);
  std::vector<double> logits, gradient(count * classes), losses(count);
  for (int i = 0; i < count; ++i) logits.insert(logits.end(), classes, 0.5 * i - 40);
  drawing d(720, 320, "The z-loss of ten equal logits");
  const panel left{40, 30, 300, 210, -40, 40, 2, 4.5}, right{405, 30, 300, 210, -40, 40, -0.1, 0.1};
  d.axes(left, "loss", ticks(-40, 40, 20), ticks(2, 4.5, 0.5), "the ten logits");
  d.axes(right, "gradient by all logits together", ticks(-40, 40, 20), ticks(-0.1, 0.1, 0.05), "the ten logits");
  std::vector<series> names;
  int colour = 0;
  for (const double c : {0.0, 1e-4, 1e-3}) {
    hone::evaluate(hone::cpu(1), hone::cross_entropy(hone::classes(labels)) + hone::z_loss(c),
                   hone::matrix_view{logits.data(), count, classes},
                   {.gradient = {gradient.data(), count, classes}, .unreduced = losses.data()}, hone::sum);
    series loss{c == 0 ? "cross_entropy" : format("cross_entropy + z_loss(%g)", c), colour, {}, c == 0}, slope = loss;
    for (std::size_t i = 0; i < count; ++i) {
      const auto row = gradient.begin() + static_cast<std::ptrdiff_t>(i * classes);
      loss.points.push_back({logits[i * classes], losses[i]});
      slope.points.push_back({logits[i * classes], std::accumulate(row, row + classes, 0.0)});
    }
    d.curve(left, loss);
    d.curve(right, slope);
    names.push_back(loss);
    ++colour;
  }
  d.legend(40, 306, names);
  return d.svg();
}

std::string ldam_loss() {
  constexpr int count = 161;
  const std::vector<int> labels(count, 0);
  std::vector<double> logits(2 * count), gradient(logits.size()), losses(count);
  for (int i = 0; i < count; ++i) logits[static_cast<std::size_t>(2 * i)] = 2.0 * i / (count - 1) - 1;
  drawing d(720, 320, "Label-distribution-aware margins");
  const panel left{40, 30, 300, 210, -1, 1, 0, 30}, right{405, 30, 300, 210, -1, 1, -30, 0};
  d.axes(left, "loss", ticks(-1, 1, 0.5), ticks(0, 30, 10), "cosine of the label, above that of the other class");
  d.axes(right, "gradient", ticks(-1, 1, 0.5), ticks(-30, 0, 10), "cosine of the label, above that of the other class");
  std::vector<series> names;
  const std::vector<double> margins = hone::ldam_margins(std::vector<double>{5000, 500, 50}, 0.5);
  for (int k = -1; k < 3; ++k) {
    const double margin = k < 0 ? 0 : margins[static_cast<std::size_t>(k)];
    const std::vector<double> of_classes{margin, margin};
    hone::evaluate(hone::cpu(1), hone::ldam_loss(hone::classes(labels), of_classes),
                   hone::matrix_view{logits.data(), count, 2},
                   {.gradient = {gradient.data(), count, 2}, .unreduced = losses.data()}, hone::sum);
    series loss{k < 0 ? "no margin"
                      : format("%d samples: Δ = %.2f",
                               k == 0   ? 5000
                               : k == 1 ? 500
                                        : 50,
                               margin),
                k + 1,
                {},
                k < 0};
    series slope = loss;
    for (std::size_t i = 0; i < count; ++i) {
      loss.points.push_back({logits[2 * i], losses[i]});
      slope.points.push_back({logits[2 * i], gradient[2 * i]});
    }
    d.curve(left, loss);
    d.curve(right, slope);
    names.push_back(loss);
  }
  d.legend(40, 306, names);
  return d.svg();
}

}  // namespace pictures
