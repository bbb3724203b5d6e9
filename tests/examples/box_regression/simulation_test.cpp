// SPDX-License-Identifier: MIT
// The cases, a naive reimplementation of one descent, and independence of the number of threads.
#include "simulation.hpp"

#include <doctest/doctest.h>

#include <algorithm>
#include <cmath>
#include <set>

namespace {

using namespace regression;

double naive_iou(const box& b, const box& t) {
  const double w = std::min(b[0] + b[2] / 2, t[0] + t[2] / 2) - std::max(b[0] - b[2] / 2, t[0] - t[2] / 2);
  const double h = std::min(b[1] + b[3] / 2, t[1] + t[3] / 2) - std::max(b[1] - b[3] / 2, t[1] - t[3] / 2);
  const double both = w > 0 && h > 0 ? w * h : 0;
  return both / (b[2] * b[3] + t[2] * t[3] - both);
}

double naive_diou(const box& b, const box& t) {
  const double w = std::max(b[0] + b[2] / 2, t[0] + t[2] / 2) - std::min(b[0] - b[2] / 2, t[0] - t[2] / 2);
  const double h = std::max(b[1] + b[3] / 2, t[1] + t[3] / 2) - std::min(b[1] - b[3] / 2, t[1] - t[3] / 2);
  return naive_iou(b, t) - (std::pow(b[0] - t[0], 2) + std::pow(b[1] - t[1], 2)) / (w * w + h * h);
}

double distance(const box& b, const box& t) {
  return std::abs(b[0] - t[0]) + std::abs(b[1] - t[1]) + std::abs(b[2] - t[2]) + std::abs(b[3] - t[3]);
}

const contestant& named(const std::string& label) {
  const auto& all = contestants();
  return *std::find_if(all.begin(), all.end(), [&](const contestant& c) { return c.label() == label; });
}

outcome at(const std::string& label, anchor_point point) {
  outcome o;
  o.error.assign(steps + 1, 0);
  simulate(hone::cpu(1), named(label), point, o);
  return o;
}

}  // namespace

TEST_CASE("anchor_points are uniform in the disc, and fewer points are the first of more") {
  const std::vector<anchor_point> all = anchor_points(all_points);
  REQUIRE(all.size() == 5000);
  double squares = 0, x = 0, y = 0;
  for (const anchor_point& p : all) {
    const double dx = p.x - centre, dy = p.y - centre;
    CHECK(dx * dx + dy * dy <= radius * radius);
    squares += (dx * dx + dy * dy) / 5000, x += dx / 5000, y += dy / 5000;
  }
  CHECK(squares == doctest::Approx(4.5).epsilon(0.03));  // half of 3²; its standard error is 0.037
  CHECK(std::abs(x) < 0.1);
  CHECK(std::abs(y) < 0.1);
  const std::vector<anchor_point> few = anchor_points(3);
  CHECK(few.size() == 3);
  CHECK(few[2].x == all[2].x);
}

TEST_CASE("cases_at gives 343 cases: targets of area 1, anchors of seven areas and seven shapes") {
  const auto [anchors, targets] = cases_at({11, 9});
  REQUIRE(anchors.size() == 343);
  REQUIRE(targets.size() == 343);
  std::set<int> areas, shapes, target_shapes;
  std::set<std::array<int, 6>> different;
  const auto thousandths = [](double x) { return static_cast<int>(std::lround(1000 * x)); };
  for (std::size_t i = 0; i < 343; ++i) {
    const box &a = anchors[i], &t = targets[i];
    CHECK(a[0] == 11);
    CHECK(a[1] == 9);
    CHECK(t[0] == 10);
    CHECK(t[1] == 10);
    CHECK(t[2] * t[3] == doctest::Approx(1));
    areas.insert(thousandths(a[2] * a[3]));
    shapes.insert(thousandths(a[2] / a[3]));
    target_shapes.insert(thousandths(t[2] / t[3]));
    different.insert({thousandths(a[2]), thousandths(a[3]), thousandths(t[2]), thousandths(t[3]), 0, 0});
  }
  CHECK(areas == std::set<int>{500, 670, 750, 1000, 1330, 1500, 2000});
  CHECK(shapes == std::set<int>{250, 333, 500, 1000, 2000, 3000, 4000});
  CHECK(target_shapes == shapes);
  CHECK(different.size() == 343);
}

TEST_CASE("the step size drops tenfold at 80 and 90 percent of the steps") {
  for (const int step : {0, 159}) CHECK(rate(step) == 0.1);
  for (const int step : {160, 179}) CHECK(rate(step) == 0.01);
  for (const int step : {180, 199}) CHECK(rate(step) == 0.001);
}

TEST_CASE("the descent with DIoU matches one with gradients by finite differences") {
  const anchor_point point{11.1, 10.7};
  const outcome o = at("DIoU", point);
  auto [boxes, targets] = cases_at(point);
  for (std::size_t step = 0; step < 20; ++step) {
    double error = 0;
    for (std::size_t i = 0; i < boxes.size(); ++i) {
      error += distance(boxes[i], targets[i]);
      box slope{};
      for (std::size_t k = 0; k < 4; ++k) {
        box up = boxes[i], down = boxes[i];
        up[k] += 1e-6, down[k] -= 1e-6;
        slope[k] = (naive_diou(up, targets[i]) - naive_diou(down, targets[i])) / 2e-6;
      }
      const double factor = 0.1 * (2 - naive_iou(boxes[i], targets[i]));
      for (std::size_t k = 0; k < 4; ++k) boxes[i][k] += factor * slope[k];
    }
    CAPTURE(step);
    CHECK(o.error[step] == doctest::Approx(error).epsilon(1e-5));
  }
}

TEST_CASE("IoU does not move a box that is apart from its target, and the other losses do") {
  const anchor_point far{12.5, 11.5};
  const outcome iou = at("IoU", far);
  CHECK(iou.error[200] == doctest::Approx(iou.error[0]).epsilon(1e-12));
  CHECK(iou.arrived == 0);
  for (const char* label : {"GIoU", "DIoU", "CIoU", "EIoU", "DIoU, darknet", "CIoU, darknet"}) {
    CAPTURE(label);
    const outcome o = at(label, far);
    CHECK(o.error[200] < 0.05 * o.error[0]);
    CHECK(o.error[200] == o.by_point[0]);
    CHECK(o.arrived > 300);
    CHECK(o.arrived <= 343);
  }
}

TEST_CASE("the descent with darknet's gradients differs from that with exact ones") {
  for (const char* name : {"IoU", "GIoU", "DIoU", "CIoU"}) {
    CAPTURE(name);
    CHECK(at(name, {10.3, 10.2}).error[5] != at(std::string(name) + ", darknet", {10.3, 10.2}).error[5]);
  }
}

TEST_CASE("simulate is bit-identical for every number of threads, and visits every point once") {
  const std::vector<anchor_point> points = anchor_points(11);
  const auto nothing = [](std::size_t) {};
  const results one = simulate(points, 1, nothing), three = simulate(points, 3, nothing);
  REQUIRE(one.points.size() == 11);
  REQUIRE(three.points.size() == 11);
  CHECK(one.cases() == 11 * 343);
  REQUIRE(one.outcomes.size() == 9);
  for (std::size_t c = 0; c < 9; ++c) {
    CHECK(one.outcomes[c].error == three.outcomes[c].error);
    CHECK(one.outcomes[c].by_point == three.outcomes[c].by_point);
    CHECK(one.outcomes[c].by_point.size() == 11);
    CHECK(one.outcomes[c].arrived == three.outcomes[c].arrived);
    double sum = 0;
    for (const double e : one.outcomes[c].by_point) sum += e;
    CHECK(one.outcomes[c].final_error() == doctest::Approx(sum).epsilon(1e-12));
  }
}
