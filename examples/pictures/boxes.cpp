// SPDX-License-Identifier: MIT
#include "drawing.hpp"
#include "pictures.hpp"

#include <hone/cpu.hpp>
#include <hone/policies.hpp>

#include <algorithm>
#include <array>
#include <cmath>
#include <cstdint>

namespace pictures {
namespace {

constexpr double width = 2, height = 1.4;  // of the target at the origin

/// Losses of boxes (cx, cy, w, h) against the target, and their gradients.
struct answers {
  std::vector<double> losses, gradient;
};

template <class Loss>
answers evaluate(Loss loss, const std::vector<double>& predicted) {
  const auto n = static_cast<hone::index>(predicted.size() / 4);
  std::vector<double> wanted;
  for (hone::index i = 0; i < n; ++i) wanted.insert(wanted.end(), {0, 0, width, height});
  answers a{std::vector<double>(static_cast<std::size_t>(n)), std::vector<double>(predicted.size())};
  hone::evaluate(hone::cpu(1), loss(hone::matrix_view{wanted.data(), n, 4}), hone::matrix_view{predicted.data(), n, 4},
                 {.gradient = {a.gradient.data(), n, 4}, .unreduced = a.losses.data()}, hone::sum);
  return a;
}

answers of_kind(int kind, const std::vector<double>& boxes) {
  switch (kind) {
    case 0:
      return evaluate([](auto view) { return hone::iou_loss(view, hone::centers); }, boxes);
    case 1:
      return evaluate([](auto view) { return hone::giou_loss(view, hone::centers); }, boxes);
    case 2:
      return evaluate([](auto view) { return hone::diou_loss(view, hone::centers); }, boxes);
    default:
      return evaluate([](auto view) { return hone::ciou_loss(view, hone::centers); }, boxes);
  }
}

constexpr std::array<const char*, 4> names{"iou_loss", "giou_loss", "diou_loss", "ciou_loss"};

}  // namespace

std::string box_fields() {
  constexpr int side = 13;
  constexpr double reach = 3.3, box_w = 1.2, box_h = 1.6;
  drawing d(720, 720, "Where four box losses move a predicted box");
  for (int kind = 0; kind < 4; ++kind) {
    const panel p{20 + 360.0 * (kind % 2), 34 + 360.0 * (kind / 2), 320, 320, -reach, reach, -reach, reach};
    d.text(p.left, p.top - 10, "start", names[static_cast<std::size_t>(kind)], "title");
    std::vector<double> boxes;
    for (int i = 0; i < side * side; ++i) {
      const double x = -3 + 6.0 * (i % side) / (side - 1), y = -3 + 6.0 * (i / side) / (side - 1);
      boxes.insert(boxes.end(), {x, y, box_w, box_h});
    }
    const answers a = of_kind(kind, boxes);
    d.rectangle("c0 box dashed", p.left, p.top, p.width, p.height);
    for (std::size_t i = 0; i < a.losses.size(); ++i) {
      const double gx = -a.gradient[4 * i], gy = -a.gradient[4 * i + 1], size = std::hypot(gx, gy);
      const point from{p.px(boxes[4 * i]), p.py(boxes[4 * i + 1])};
      if (size < 1e-9) {
        d.circle("f0", from, 1.5);
        continue;
      }
      const double length = 22 * std::min(1.0, std::sqrt(size / 0.7)), ux = gx / size, uy = -gy / size;
      const point to{from.x + length * ux, from.y + length * uy};
      d.raw(format("<path class=\"c2 thin\" d=\"M%.1f %.1fL%.1f %.1fM%.1f %.1fL%.1f %.1fL%.1f %.1f\"/>\n", from.x,
                   from.y, to.x, to.y, to.x - 4 * (ux + 0.6 * uy), to.y - 4 * (uy - 0.6 * ux), to.x, to.y,
                   to.x - 4 * (ux - 0.6 * uy), to.y - 4 * (uy + 0.6 * ux)));
    }
    const double w = p.px(width) - p.px(0), h = p.py(0) - p.py(height);
    d.rectangle("c1 box", p.px(0) - w / 2, p.py(0) - h / 2, w, h);
  }
  return d.svg();
}

std::string box_distance() {
  drawing d(720, 320, "Four box losses over the distance of a box from its target");
  const panel left{40, 30, 300, 210, 0, 5, 0, 2}, right{405, 30, 300, 210, 0, 5, 0, 1};
  d.axes(left, "loss", ticks(0, 5, 1), ticks(0, 2, 0.5), "distance of the centres; the target is 2 wide");
  d.axes(right, "gradient by the distance", ticks(0, 5, 1), ticks(0, 1, 0.2),
         "distance of the centres; the target is 2 wide");
  std::vector<double> boxes;
  for (int i = 0; i <= 200; ++i) boxes.insert(boxes.end(), {0.025 * i, 0, 1.2, 1.6});
  std::vector<series> all;
  for (int kind = 0; kind < 4; ++kind) {
    const answers a = of_kind(kind, boxes);
    series loss{names[static_cast<std::size_t>(kind)], kind == 0 ? 0 : kind, {}, kind == 0}, slope = loss;
    for (std::size_t i = 0; i < a.losses.size(); ++i) {
      loss.points.push_back({boxes[4 * i], a.losses[i]});
      slope.points.push_back({boxes[4 * i], a.gradient[4 * i]});
    }
    d.curve(left, loss);
    d.curve(right, slope);
    all.push_back(loss);
  }
  d.legend(40, 306, all);
  return d.svg();
}

std::string box_sides() {
  drawing d(720, 340, "Box losses of a predicted box that is too small or too large");
  const panel left{40, 30, 300, 210, 0, 3, 0, 1.2}, right{405, 30, 300, 210, 0, 3, -1.5, 1};
  d.axes(left, "loss", ticks(0, 3, 0.5), ticks(0, 1.2, 0.2), "its width over the target's");
  d.axes(right, "gradient by the width", ticks(0, 3, 0.5), ticks(-1.5, 1, 0.5), "its width over the target's");
  std::vector<double> boxes;
  for (int i = 1; i <= 150; ++i) boxes.insert(boxes.end(), {0, 0, 0.02 * i * width, height});
  const std::vector<std::pair<const char*, answers>> all{
      {"iou_loss", evaluate([](auto view) { return hone::iou_loss(view, hone::centers); }, boxes)},
      {"eiou_loss", evaluate([](auto view) { return hone::eiou_loss(view, hone::centers); }, boxes)},
      {"siou_loss", evaluate([](auto view) { return hone::siou_loss(view, hone::centers); }, boxes)},
      {"ciou_loss", evaluate([](auto view) { return hone::ciou_loss(view, hone::centers); }, boxes)},
      {"focal_eiou_loss", evaluate([](auto view) { return hone::focal_eiou_loss(view, hone::centers); }, boxes)}};
  std::vector<series> legend;
  for (std::size_t k = 0; k < all.size(); ++k) {
    series loss{all[k].first, static_cast<int>(k), {}, k == 0}, slope = loss;
    for (std::size_t i = 0; i < all[k].second.losses.size(); ++i) {
      const double share = boxes[4 * i + 2] / width;
      loss.points.push_back({share, all[k].second.losses[i]});
      slope.points.push_back({share, all[k].second.gradient[4 * i + 2]});
    }
    d.curve(left, loss);
    d.curve(right, slope);
    legend.push_back(loss);
  }
  d.legend(40, 306, legend);
  return d.svg();
}

std::string suppression() {
  // Predictions around four objects, of which two stand close together.
  const std::vector<std::array<double, 4>> objects{
      {30, 40, 90, 130}, {62, 52, 122, 142}, {160, 30, 220, 80}, {170, 120, 225, 190}};
  std::vector<double> boxes, scores;
  std::uint64_t state = 5;
  const auto unit = [&state] {
    state = state * 6364136223846793005u + 1442695040888963407u;
    return static_cast<double>(state >> 11) * 0x1p-53;
  };
  for (const auto& object : objects)
    for (int i = 0; i < 7; ++i) {
      double off = 0;
      for (const double side : object) {
        const double by = i == 0 ? 0 : 6 * (unit() - 0.5);
        boxes.push_back(side + by);
        off += std::abs(by);
      }
      scores.push_back(0.95 - off / 60 - 0.02 * unit());
    }
  const auto n = static_cast<hone::index>(scores.size());
  const hone::matrix_view view{boxes.data(), n, 4};
  const hone::cpu cpu(1);
  std::vector<hone::index> every;
  for (hone::index i = 0; i < n; ++i) every.push_back(i);
  const auto kept = hone::nms(cpu, view, scores, {.threshold = 0.2});
  const auto by_distance = hone::diou_nms(cpu, view, scores, {.threshold = 0.2});
  drawing d(720, 250, "Boxes before and after suppression");
  const auto draw = [&](double left, const std::string& title, const std::vector<hone::index>& shown, const char* css) {
    d.text(left + 14, 18, "start", title, "title");
    for (const hone::index i : shown) {
      const double* b = boxes.data() + 4 * i;
      d.rectangle(css, left + b[0], 20 + b[1], b[2] - b[0], b[3] - b[1]);
    }
  };
  draw(-4, format("%d predictions of four objects", static_cast<int>(n)), every, "c0 box");
  draw(236, format("nms, threshold 0.2: %d", static_cast<int>(kept.size())), kept, "c1 box");
  draw(476, format("diou_nms, threshold 0.2: %d", static_cast<int>(by_distance.size())), by_distance, "c2 box");
  return d.svg();
}

}  // namespace pictures
