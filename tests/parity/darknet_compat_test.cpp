// SPDX-License-Identifier: MIT
// darknet_compat against a description of darknet's box functions, written in double, and against the derivatives of
// its metrics: the gradients differ from those by the named factors and by nothing else.
#include <hone/hone.hpp>

#include <support/dual.hpp>

#include <doctest/doctest.h>

#include <algorithm>
#include <array>
#include <cmath>
#include <limits>
#include <random>
#include <vector>

namespace {

namespace compat = hone::darknet_compat;
using support::dual;
using four = std::array<double, 4>;  // cx, cy, w, h

enum class kind : unsigned char { iou, giou, diou, ciou };
constexpr kind kinds[] = {kind::iou, kind::giou, kind::diou, kind::ciou};
constexpr double pi = 3.14159265358979323846;

struct edges {
  double left, right, top, bottom;
  explicit edges(four const& b)
      : left(b[0] - b[2] / 2), right(b[0] + b[2] / 2), top(b[1] - b[3] / 2), bottom(b[1] + b[3] / 2) {}
};

/// What darknet's training step adds to cx, cy, w and h, at a rate of 1.
four darknet_step(kind k, four p, four const& t) {
  for (const std::size_t side : {2u, 3u})
    if (p[side] == 0) p[side] = 1;
  const edges a(p), b(t);
  const double iw = std::fmin(a.right, b.right) - std::fmax(a.left, b.left);
  const double ih = std::fmin(a.bottom, b.bottom) - std::fmax(a.top, b.top);
  const double cw = std::fmax(a.right, b.right) - std::fmin(a.left, b.left);
  const double ch = std::fmax(a.bottom, b.bottom) - std::fmin(a.top, b.top);
  const double I = iw * ih, U = p[2] * p[3] + t[2] * t[3] - I, box = cw * ch;
  const bool apart = iw <= 0 || ih <= 0;
  // by left, right, top, bottom
  const four dI = {a.left > b.left ? -ih : 0, a.right < b.right ? ih : 0, a.top > b.top ? -iw : 0,
                   a.bottom < b.bottom ? iw : 0};
  const four dX = {-p[3], p[3], -p[2], p[2]};
  const four dBox = {a.left < b.left ? -ch : 0, a.right > b.right ? ch : 0, a.top < b.top ? -cw : 0,
                     a.bottom > b.bottom ? cw : 0};
  four d{};
  for (std::size_t e = 0; e < 4; ++e) {
    const double dU = dX[e] - dI[e];
    if (U > 0) d[e] = (U * dI[e] - I * dU) / (U * U);
    const double filled = (box * dU - U * dBox[e]) / (box * box);
    if (k == kind::giou && apart) d[e] = filled;
    if (k == kind::giou && !apart && box > 0) d[e] += filled;
  }
  four step = {d[0] + d[1], d[2] + d[3], d[1] - d[0], d[3] - d[2]};
  if (k == kind::diou || k == kind::ciou) {
    const double S = std::pow(p[0] - t[0], 2) + std::pow(p[1] - t[1], 2), C = cw * cw + ch * ch;
    const auto is = [](bool holds) { return holds ? 1.0 : 0.0; };
    const double opens_x = is(a.left < b.left), closes_x = is(a.right > b.right);
    const double opens_y = is(a.top < b.top), closes_y = is(a.bottom > b.bottom);
    four more = {(2 * (t[0] - p[0]) * C - 2 * cw * (closes_x - opens_x) * S) / (C * C),
                 (2 * (t[1] - p[1]) * C - 2 * ch * (closes_y - opens_y) * S) / (C * C),
                 cw * (closes_x + opens_x) * S / (C * C), ch * (closes_y + opens_y) * S / (C * C)};
    if (k == kind::ciou) {
      const double turn = std::atan(t[2] / t[3]) - std::atan(p[2] / p[3]), v = 4 / (pi * pi) * turn * turn;
      const double alpha = v / (1 - I / U + v + 0.000001);
      more[2] += alpha * 8 / (pi * pi) * turn * p[3];
      more[3] -= alpha * 8 / (pi * pi) * turn * p[2];
    }
    for (std::size_t i = 0; i < 4; ++i) step[i] = apart ? more[i] : step[i] + more[i];
  }
  for (double& s : step)
    if (!std::isfinite(s)) s = 0;
  return step;
}

/// What darknet reports.
double darknet_metric(kind k, four const& p, four const& t) {
  const edges a(p), b(t);
  const double iw = std::fmin(a.right, b.right) - std::fmax(a.left, b.left);
  const double ih = std::fmin(a.bottom, b.bottom) - std::fmax(a.top, b.top);
  const double I = iw <= 0 || ih <= 0 ? 0 : iw * ih, U = p[2] * p[3] + t[2] * t[3] - I, iou = I == 0 ? 0 : I / U;
  const double cw = std::fmax(a.right, b.right) - std::fmin(a.left, b.left);
  const double ch = std::fmax(a.bottom, b.bottom) - std::fmin(a.top, b.top);
  const double S = std::pow(p[0] - t[0], 2) + std::pow(p[1] - t[1], 2), C = cw * cw + ch * ch;
  if (k == kind::iou) return iou;
  if (k == kind::giou) return cw * ch == 0 ? iou : iou - (cw * ch - U) / (cw * ch);
  if (C == 0) return iou;
  if (k == kind::diou) return iou - std::pow(S / C, 0.6);
  const double v = 4 / (pi * pi) * std::pow(std::atan(t[2] / t[3]) - std::atan(p[2] / p[3]), 2);
  return iou - S / C - v / (1 - iou + v + 0.000001) * v;
}

/// The parts of the metrics on dual numbers; α is a constant, as in every CIoU.
struct parts {
  dual iou, filled, nearness, likeness;
};
parts parts_of(four const& p, four const& t, std::size_t by) {
  dual x[4];
  for (std::size_t i = 0; i < 4; ++i) x[i] = dual(p[i], i == by ? 1.0 : 0.0);
  const dual half(0.5), left = x[0] - half * x[2], right = x[0] + half * x[2];
  const dual top = x[1] - half * x[3], bottom = x[1] + half * x[3];
  const edges b(t);
  const dual iw = max(min(right, dual(b.right)) - max(left, dual(b.left)), dual(0));
  const dual ih = max(min(bottom, dual(b.bottom)) - max(top, dual(b.top)), dual(0));
  const dual I = iw * ih, U = x[2] * x[3] + dual(t[2] * t[3]) - I;
  const dual cw = max(right, dual(b.right)) - min(left, dual(b.left));
  const dual ch = max(bottom, dual(b.bottom)) - min(top, dual(b.top));
  const dual ox = x[0] - dual(t[0]), oy = x[1] - dual(t[1]), turn = dual(std::atan(t[2] / t[3])) - atan(x[2] / x[3]);
  const dual v = dual(4 / (pi * pi)) * turn * turn;
  const dual alpha(v.v / (1 - I.v / U.v + v.v + 0.000001));
  return {I / U, U / (cw * ch), -((ox * ox + oy * oy) / (cw * cw + ch * ch)), -(alpha * v)};
}

template <class V>
hone::box<V> corners_of(four const& b) {
  const V v[] = {V(b[0]), V(b[1]), V(b[2]), V(b[3])};
  return hone::centers_format::corners_of(v);
}

template <class V>
hone::box_grad<V> formula(kind k, hone::box<V> const& p, hone::box<V> const& t) {
  switch (k) {
    case kind::iou:
      return compat::iou_formula{}(p, t);
    case kind::giou:
      return compat::giou_formula{}(p, t);
    case kind::diou:
      return compat::diou_formula{}(p, t);
    default:
      return compat::ciou_formula{}(p, t);
  }
}

/// The step that the formula's gradient leads to: its opposite, by cx, cy, w and h.
four step_of(kind k, four const& p, four const& t) {
  const double b[] = {p[0], p[1], p[2], p[3]};
  double g[4];
  hone::centers_format::chain(b, formula(k, corners_of<double>(p), corners_of<double>(t)).grad, g);
  return {-g[0], -g[1], -g[2], -g[3]};
}

void same(four const& a, four const& b, double tolerance) {
  for (std::size_t i = 0; i < 4; ++i) {
    CAPTURE(i);
    CHECK(std::abs(a[i] - b[i]) <= tolerance * (1 + std::abs(b[i])));
  }
}

struct pair {
  four p, t;
};

/// Boxes of a few hundredths to 1, many of which overlap.
std::vector<pair> random_pairs(int count) {
  std::mt19937 random(7);
  std::uniform_real_distribution<double> place(0, 1), size(0.05, 1);
  std::vector<pair> all;
  all.reserve(static_cast<std::size_t>(count));
  for (int i = 0; i < count; ++i)
    all.push_back({{place(random), place(random), size(random), size(random)},
                   {place(random), place(random), size(random), size(random)}});
  return all;
}

bool overlapping(pair const& b) {
  return 2 * std::abs(b.p[0] - b.t[0]) < b.p[2] + b.t[2] && 2 * std::abs(b.p[1] - b.t[1]) < b.p[3] + b.t[3];
}

}  // namespace

TEST_CASE("darknet_compat gives the recorded numbers of darknet") {
  const four p = {0, 0, 0.2, 0.3}, t = {0.05, 0.02, 0.25, 0.2};
  same(step_of(kind::iou, p, t), {3.911, 0, 0.178, -2.489}, 5e-4);
  same(step_of(kind::diou, p, t), {4.573, 0.242, 0.207, -2.426}, 5e-4);
  same(step_of(kind::iou, {0, 0, 0.4, 0.8}, {1, 1, 0.4, 0.2}), {-20, -24, -68, -48}, 1e-12);  // apart
  const four q = {0, 0, 0.1, 0.2}, far = {0.5, 0.4, 0.3, 0.1};
  same(step_of(kind::diou, q, far), {2.176, 1.728, 0.457, 0.359}, 5e-4);
  same(step_of(kind::ciou, q, far), {2.176, 1.728, 0.465, 0.355}, 5e-4);
}

TEST_CASE("darknet_compat matches a reimplementation of darknet in value and gradient") {
  int apart = 0;
  for (const pair& b : random_pairs(4000)) {
    apart += overlapping(b) ? 0 : 1;
    const edges p(b.p), t(b.t);
    const double gap_x = std::min(p.right, t.right) - std::max(p.left, t.left);
    const double gap_y = std::min(p.bottom, t.bottom) - std::max(p.top, t.top);
    const double whole = b.p[2] * b.p[3] + b.t[2] * b.t[3] - gap_x * gap_y;
    if (std::abs(whole) < 1e-3) continue;  // garbage over nearly nothing: digits are lost on both sides
    for (const kind k : kinds) {
      CAPTURE(static_cast<int>(k));
      same(step_of(k, b.p, b.t), darknet_step(k, b.p, b.t), 1e-10);
      const double value = formula(k, corners_of<double>(b.p), corners_of<double>(b.t)).value;
      CHECK(std::abs(value - (1 - darknet_metric(k, b.p, b.t))) <= 1e-11);
    }
  }
  CHECK(apart > 500);
  CHECK(apart < 3500);
}

TEST_CASE("darknet_compat matches darknet for ties, nested boxes, sides of 0 and targets without area") {
  const four t = {0.5, 0.25, 0.5, 0.25};
  for (const four& p : {t,
                        four{0.5, 0.25, 0.25, 0.125},
                        {0.5, 0.25, 1, 1},
                        {0.625, 0.25, 0.25, 0.25},
                        {1, 0.25, 0.5, 0.25},
                        {0.5, 0.25, 0, 0.25},
                        {0.5, 0.5, 0.25, 0},
                        {0.75, 0.5, 0, 0}})
    for (const kind k : kinds) {
      CAPTURE(static_cast<int>(k));
      same(step_of(k, p, t), darknet_step(k, p, t), 1e-12);
      if (p[2] + p[3] > 0)  // where darknet's CIoU is a number
        CHECK(formula(k, corners_of<double>(p), corners_of<double>(t)).value ==
              doctest::Approx(1 - darknet_metric(k, p, t)).epsilon(1e-12));
      for (const four& flat : {four{0.5, 0.25, 0, 0}, {0.5, 0.25, 0.5, 0}, {0.5, 0.25, 0, 0.5}})
        same(step_of(k, p, flat), darknet_step(k, p, flat), 1e-12);
    }
}

TEST_CASE("darknet_compat gradients of overlapping boxes differ from derivatives by the named factors") {
  int seen = 0;
  for (const pair& b : random_pairs(400)) {
    if (!overlapping(b)) continue;
    ++seen;
    const edges p(b.p), t(b.t);
    const double cw = std::max(p.right, t.right) - std::min(p.left, t.left);
    const double ch = std::max(p.bottom, t.bottom) - std::min(p.top, t.top);
    four iou{}, giou{}, diou{}, ciou{};
    for (std::size_t i = 0; i < 4; ++i) {
      const bool side = i > 1;
      const parts exact = parts_of(b.p, b.t, i);
      const double toward = side ? 0 : -2 * (b.p[i] - b.t[i]) / (cw * cw + ch * ch);  // ρ² alone
      iou[i] = (side ? 2 : 1) * exact.iou.d;
      giou[i] = (side ? 2 : 1) * (exact.iou.d + exact.filled.d);
      diou[i] = iou[i] + (side ? exact.nearness.d : toward - (exact.nearness.d - toward));
      ciou[i] = diou[i] + (b.p[2] * b.p[2] + b.p[3] * b.p[3]) * exact.likeness.d;
    }
    same(step_of(kind::iou, b.p, b.t), iou, 1e-10);
    same(step_of(kind::giou, b.p, b.t), giou, 1e-10);
    same(step_of(kind::diou, b.p, b.t), diou, 1e-10);
    same(step_of(kind::ciou, b.p, b.t), ciou, 1e-10);
  }
  CHECK(seen > 100);
}

TEST_CASE("darknet_compat has an IoU gradient for boxes that do not overlap") {
  const four p = {0, 0, 0.4, 0.8}, t = {1, 1, 0.4, 0.2};
  for (std::size_t i = 0; i < 4; ++i) {
    CHECK(parts_of(p, t, i).iou.d == 0);
    CHECK(std::abs(step_of(kind::iou, p, t)[i]) > 1);
  }
}

TEST_CASE("darknet_compat: evaluate on packs matches the formula in every format") {
  std::vector<pair> all = random_pairs(37);
  all.push_back({{0.5, 0.25, 0.25, 0.5}, {0.5, 0.25, 0.5, 0.25}});  // a distance of 0
  const auto n = static_cast<hone::index>(all.size());
  std::vector<double> boxes, targets, gradient(4 * all.size()), losses(all.size());
  const auto check = [&](auto format, auto to_numbers) {
    boxes.clear(), targets.clear();
    for (const pair& b : all)
      for (std::size_t i = 0; i < 4; ++i) boxes.push_back(to_numbers(b.p)[i]), targets.push_back(to_numbers(b.t)[i]);
    const hone::matrix_view t{targets.data(), n, 4};
    const hone::cpu cpu(1);
    for (const kind k : kinds) {
      const auto run = [&](auto objective) {
        hone::evaluate(cpu, objective, hone::matrix_view{boxes.data(), n, 4},
                       {.gradient = {gradient.data(), n, 4}, .unreduced = losses.data()}, hone::sum);
      };
      if (k == kind::iou) run(compat::iou_loss(t, format));
      if (k == kind::giou) run(compat::giou_loss(t, format));
      if (k == kind::diou) run(compat::diou_loss(t, format));
      if (k == kind::ciou) run(compat::ciou_loss(t, format));
      for (std::size_t i = 0; i < all.size(); ++i) {
        const auto exact = formula(k, corners_of<double>(all[i].p), corners_of<double>(all[i].t));
        double by_format[4];
        const double numbers[] = {boxes[4 * i], boxes[4 * i + 1], boxes[4 * i + 2], boxes[4 * i + 3]};
        decltype(format)::chain(numbers, exact.grad, by_format);
        CHECK(std::abs(losses[i] - exact.value) <= 1e-12);
        for (std::size_t c = 0; c < 4; ++c)
          CHECK(std::abs(gradient[4 * i + c] - by_format[c]) <= 1e-9 * (1 + std::abs(by_format[c])));
      }
    }
  };
  check(hone::centers, [](four const& b) { return b; });
  check(hone::corners,
        [](four const& b) { return four{b[0] - b[2] / 2, b[1] - b[3] / 2, b[0] + b[2] / 2, b[1] + b[3] / 2}; });
  check(hone::top_left, [](four const& b) { return four{b[0] - b[2] / 2, b[1] - b[3] / 2, b[2], b[3]}; });
}

TEST_CASE_TEMPLATE("darknet_compat is finite for every finite box", T, float, double) {
  using limits = std::numeric_limits<T>;
  const T numbers[] = {T(0),
                       T(-1),
                       T(1),
                       T(1e-30),
                       T(1e-12),
                       T(3e-8),
                       T(0.25),
                       T(1e9),
                       T(-1e9),
                       limits::max(),
                       limits::lowest(),
                       limits::min(),
                       T(1e19),
                       T(-1e-18),
                       limits::denorm_min()};
  std::mt19937 random(3);
  std::uniform_int_distribution<std::size_t> pick(0, std::size(numbers) - 1);
  std::uniform_real_distribution<T> nearby(T(0.5), T(1.5));
  const auto number = [&] {
    return std::clamp(numbers[pick(random)] * nearby(random), limits::lowest(), limits::max());
  };
  for (int i = 0; i < 60000; ++i) {
    const T p[] = {number(), number(), number(), number()}, t[] = {number(), number(), number(), number()};
    const auto in = [&](auto format) {
      for (const kind k : kinds) {
        const auto answer = formula(k, format.corners_of(p), format.corners_of(t));
        T g[4];
        format.chain(p, answer.grad, g);
        const bool finite = std::isfinite(answer.value) && std::isfinite(g[0]) && std::isfinite(g[1]) &&
                            std::isfinite(g[2]) && std::isfinite(g[3]);
        if (finite) continue;
        CAPTURE(static_cast<int>(k));
        for (const T x : p) MESSAGE("predicted " << x);
        for (const T x : t) MESSAGE("target " << x);
        REQUIRE(finite);
      }
    };
    in(hone::corners);
    in(hone::centers);
  }
}

TEST_CASE("darknet_compat: NaN in a box gives NaN in the value and the gradient") {
  const double nan = std::numeric_limits<double>::quiet_NaN();
  for (std::size_t i = 0; i < 8; ++i) {
    double b[8] = {0.5, 0.5, 0.2, 0.3, 0.55, 0.52, 0.25, 0.2};
    b[i] = nan;
    const double p[] = {b[0], b[1], b[2], b[3]}, t[] = {b[4], b[5], b[6], b[7]};
    for (const kind k : kinds) {
      const auto answer = formula(k, hone::centers.corners_of(p), hone::centers.corners_of(t));
      CHECK(std::isnan(answer.value));
      CHECK((std::isnan(answer.grad.x1) || std::isnan(answer.grad.y1)));
    }
  }
}
