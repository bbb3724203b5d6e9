// SPDX-License-Identifier: MIT
// Box losses of hone::parity against values and gradients of the libraries (box_parity_values.py),
// and against their formulas on dual numbers.
#include <hone/hone.hpp>

#include <loss/box/boxes.hpp>
#include <parity/boxes_values.hpp>

#include <doctest/doctest.h>

#include <algorithm>
#include <array>
#include <bit>
#include <cmath>
#include <cstdint>
#include <limits>
#include <random>
#include <set>
#include <string>
#include <vector>

namespace {

namespace parity = hone::parity;
using naive::corners;
using naive::dual;
using naive::square;
using view = hone::matrix_view<const double>;

// The formulas as their sources have them.

struct parts {
  dual w, h, tw, th, i, u, cw, ch, dx, dy;
};
parts parts_of(corners const& a, corners const& b) {
  const corners c = naive::hull(a, b);
  const dual i = naive::intersection(a, b), two(2.0);
  return {a.x2 - a.x1,
          a.y2 - a.y1,
          b.x2 - b.x1,
          b.y2 - b.y1,
          i,
          naive::area(a) + naive::area(b) - i,
          c.x2 - c.x1,
          c.y2 - c.y1,
          (b.x1 + b.x2 - a.x1 - a.x2) / two,
          (b.y1 + b.y2 - a.y1 - a.y2) / two};
}

dual giou(corners const& a, corners const& b, double eps) {
  const parts p = parts_of(a, b);
  const dual c = p.cw * p.ch, e(eps);
  return p.i / (p.u + e) - (c - p.u) / (c + e);
}
dual diou(corners const& a, corners const& b, double eps, double above = 0) {
  const parts p = parts_of(a, b);
  return p.i / (p.u + dual(eps)) -
         (square(p.dx) + square(p.dy) + dual(above)) / (square(p.cw) + square(p.ch) + dual(eps));
}
dual shapes(dual w, dual h, dual tw, dual th) { return dual(4 / (M_PI * M_PI)) * square(atan(tw / th) - atan(w / h)); }
/// α v, α being v over what is given beside it, without gradient.
dual costs(dual v, double rest) { return dual(v.v == 0 ? 0 : v.v / (rest + v.v)) * v; }

dual torchvision_ciou(corners const& a, corners const& b, double eps) {
  const parts p = parts_of(a, b);
  return diou(a, b, 1e-7) - costs(shapes(p.w, p.h, p.tw, p.th), 1 - p.i.v / (p.u.v + 1e-7) + eps);
}
dual mmdet_ciou(corners const& a, corners const& b, double eps) {
  const parts p = parts_of(a, b);
  const double iou = p.i.v / (p.u.v + eps);
  const dual v = shapes(p.w, p.h + dual(eps), p.tw, p.th + dual(eps));
  const dual metric = diou(a, b, eps) - (iou > 0.5 ? costs(v, 1 - iou) : dual(0.0));
  return min(max(metric, dual(-1.0)), dual(1.0));
}
dual mmdet_overlap(parts const& p, double eps) { return p.i / max(p.u, dual(eps)); }
dual mmdet_giou(corners const& a, corners const& b, double eps) {
  const parts p = parts_of(a, b);
  const dual c = max(p.cw * p.ch, dual(eps));
  return mmdet_overlap(p, eps) - (c - max(p.u, dual(eps))) / c;
}
dual mmdet_iou_loss(corners const& a, corners const& b) {
  const dual iou = mmdet_overlap(parts_of(a, b), 1e-6);
  return iou.v < 1e-6 ? dual(-std::log(1e-6)) : -log(iou);
}
dual mmdet_siou_loss(corners const& a, corners const& b, double eps) {
  const parts p = parts_of(a, b);
  const dual e(eps), dx = p.dx + e, dy = p.dy + e, sigma = sqrt(square(dx) + square(dy));
  const dual sine = abs(dx) / sigma, other = abs(dy) / sigma;
  const dual angle = naive::sine(dual(2.0) * naive::arcsine(sine.v > std::sqrt(0.5) ? other : sine));
  const dual gamma = dual(2.0) - angle;
  const dual distance = dual(2.0) - exp(gamma * square(dx / max(p.cw, e))) - exp(gamma * square(dy / max(p.ch, e)));
  const auto shape = [](dual s, dual t) { return square(square(dual(1.0) - exp(-(abs(s - t) / max(s, t))))); };
  const dual shapes_cost = shape(p.w, p.tw) + shape(p.h + e, p.th + e);
  const dual metric = p.i / (p.u + e) - (distance + shapes_cost) / dual(2.0);
  return dual(1.0) - min(max(metric, dual(-1.0)), dual(1.0));
}
dual paddle_ciou(corners const& a, corners const& b, double eps) {  // of bbox_iou
  const parts p = parts_of(a, b);
  const dual v = shapes(p.w, p.h + dual(eps), p.tw, p.th + dual(eps));
  return diou(a, b, eps) - costs(v, 1 + eps - p.i.v / (p.u.v + eps));
}
dual paddle_ciou_loss(corners const& a, corners const& b, double eps) {  // DIouLoss
  const parts p = parts_of(a, b);
  return dual(1.0) - diou(a, b, eps, eps) + costs(shapes(p.w, p.h, p.tw, p.th), 1 - p.i.v / (p.u.v + eps) + eps);
}
dual ultralytics_ciou(corners const& a, corners const& b) {
  const parts p = parts_of(a, b);
  const dual e(1e-7), h = p.h + e, th = p.th + e, iou = p.i / (p.w * h + p.tw * th - p.i + e);
  return iou - (square(p.dx) + square(p.dy)) / (square(p.cw) + square(p.ch) + e) -
         costs(shapes(p.w, h, p.tw, th), 1 - iou.v + 1e-7);
}

dual one_minus(dual x) { return dual(1.0) - x; }

template <class Visit>
void each_loss(Visit const& visit) {
  const view none;
  using box = corners;
  for (const double eps : {1e-7, 0.01}) {
    const std::string with = eps == 1e-7 ? "" : ", eps 0.01";
    visit("torchvision_giou_loss" + with, parity::torchvision_giou_loss(none, {.eps = eps}),
          [=](box const& a, box const& b) { return one_minus(giou(a, b, eps)); });
    visit("torchvision_diou_loss" + with, parity::torchvision_diou_loss(none, {.eps = eps}),
          [=](box const& a, box const& b) { return one_minus(diou(a, b, eps)); });
    visit("torchvision_ciou_loss" + with, parity::torchvision_ciou_loss(none, {.eps = eps}),
          [=](box const& a, box const& b) { return one_minus(torchvision_ciou(a, b, eps)); });
  }
  for (const double eps : {1e-7, 1e-6}) {
    const std::string with = eps == 1e-7 ? "" : ", eps 1e-6";
    visit("mmdet_giou_loss" + with, parity::mmdet_giou_loss(none, {.eps = eps}),
          [=](box const& a, box const& b) { return one_minus(mmdet_giou(a, b, eps)); });
    visit("mmdet_diou_loss" + with, parity::mmdet_diou_loss(none, {.eps = eps}),
          [=](box const& a, box const& b) { return one_minus(diou(a, b, eps)); });
    visit("mmdet_ciou_loss" + with, parity::mmdet_ciou_loss(none, {.eps = eps}),
          [=](box const& a, box const& b) { return one_minus(mmdet_ciou(a, b, eps)); });
    visit("mmdet_siou_loss" + with, parity::mmdet_siou_loss(none, {.eps = eps}),
          [=](box const& a, box const& b) { return mmdet_siou_loss(a, b, eps); });
  }
  visit(std::string("mmdet_iou_loss"), parity::mmdet_iou_loss(none), mmdet_iou_loss);
  visit(std::string("paddle_squared_giou_loss"), parity::paddle_squared_giou_loss(none),
        [](box const& a, box const& b) { return one_minus(square(giou(a, b, 1e-9))); });
  visit(std::string("paddle_squared_diou_loss"), parity::paddle_squared_diou_loss(none),
        [](box const& a, box const& b) { return one_minus(square(diou(a, b, 1e-9))); });
  visit(std::string("paddle_squared_ciou_loss"), parity::paddle_squared_ciou_loss(none),
        [](box const& a, box const& b) { return one_minus(square(paddle_ciou(a, b, 1e-9))); });
  visit(std::string("paddle_diou_loss"), parity::paddle_diou_loss(none),
        [](box const& a, box const& b) { return one_minus(diou(a, b, 1e-10, 1e-10)); });
  visit(std::string("paddle_ciou_loss"), parity::paddle_ciou_loss(none),
        [](box const& a, box const& b) { return paddle_ciou_loss(a, b, 1e-10); });
  visit(std::string("ultralytics_ciou_loss"), parity::ultralytics_ciou_loss(none),
        [](box const& a, box const& b) { return one_minus(ultralytics_ciou(a, b)); });
}

struct answer {
  double value, grad[4];

  bool finite() const {
    return std::isfinite(value) && std::all_of(grad, grad + 4, [](double g) { return std::isfinite(g); });
  }
};

template <class T = double, class Format = hone::corners_format, class Term>
answer answer_of(Term const& term, T const (&p)[4], T const (&t)[4]) {
  T grad[4];
  const T value = hone::detail::apply_formula<Format>(term.formula, p, t, grad);
  return {double(value), {double(grad[0]), double(grad[1]), double(grad[2]), double(grad[3])}};
}

double size_of(double const (&grad)[4]) {
  double size = 0;
  for (const double g : grad) size = std::max(size, std::abs(g));
  return size;
}

/// Boxes in pixels, in fractions of an image, and with areas about as large as the numbers that are added to them.
template <class Visit>
void each_pair(Visit const& visit) {
  std::mt19937 random(11);
  std::uniform_real_distribution<double> at(-20, 20), side(0.5, 15);
  for (const double scale : {1.0, 1e-3, 2e-5})
    for (int k = 0; k < 60; ++k) {
      const double x = at(random), y = at(random), apart = k % 3 == 0 ? 0.05 : k % 3 == 1 ? 0.5 : 1;
      const double tx = x + apart * at(random), ty = y + apart * at(random), w = side(random), h = side(random);
      const double tw = k % 3 == 0 ? 1.2 * w : side(random), th = k % 3 == 0 ? 0.9 * h : side(random);
      const double p[] = {scale * x, scale * y, scale * (x + w), scale * (y + h)};
      const double t[] = {scale * tx, scale * ty, scale * (tx + tw), scale * (ty + th)};
      visit(p, t);
    }
}

}  // namespace

TEST_CASE("hone::parity box losses match torchvision, mmdet, PaddleDetection and ultralytics") {
  std::set<std::string> asked, known;
  for (box_parity_value const& row : box_parity_values) known.insert(row.loss);
  each_loss([&](std::string const& name, auto const& term, auto const&) {
    // a clamp of theirs passes the gradient on at 0, where hone's boxes do not overlap yet
    const bool clamps = name.starts_with("mmdet") || name.starts_with("paddle_sq") || name.starts_with("ultra");
    for (box_parity_value const& row : box_parity_values) {
      if (row.loss != name) continue;
      asked.insert(name);
      CAPTURE(name);
      CAPTURE(std::string(row.kind));
      CAPTURE(row.predicted[0]);
      const answer seen = answer_of(term, row.predicted, row.target);
      CHECK(seen.finite());  // where theirs is NaN too
      if (std::isfinite(row.value)) CHECK(std::abs(seen.value - row.value) <= 1e-12 * (1 + std::abs(row.value)));
      if (clamps && std::string(row.kind).starts_with("no ")) continue;
      if (std::any_of(row.gradient, row.gradient + 4, [](double g) { return !std::isfinite(g); })) continue;
      for (std::size_t c = 0; c < 4; ++c)
        CHECK(std::abs(seen.grad[c] - row.gradient[c]) <= 1e-10 * size_of(row.gradient) + 1e-15);
    }
  });
  CHECK(asked == known);
}

TEST_CASE("hone::parity box losses have gradients that are the derivatives of the formulas") {
  each_loss([](std::string const& name, auto const& term, auto const& reference) {
    CAPTURE(name);
    each_pair([&](double const(&p)[4], double const(&t)[4]) {
      const answer seen = answer_of(term, p, t);
      answer exact{};
      for (std::size_t by = 0; by < 4; ++by) {
        const auto x = [&](std::size_t c) { return dual(p[c], c == by ? 1 : 0); };
        const dual y = reference({x(0), x(1), x(2), x(3)}, {dual(t[0]), dual(t[1]), dual(t[2]), dual(t[3])});
        exact.value = y.v, exact.grad[by] = y.d;
      }
      CAPTURE(p[0]);
      CHECK(std::abs(seen.value - exact.value) <= 1e-12 * (1 + std::abs(exact.value)));
      for (std::size_t c = 0; c < 4; ++c)
        CHECK(std::abs(seen.grad[c] - exact.grad[c]) <= 1e-9 * size_of(exact.grad) + 1e-15);
    });
  });
}

TEST_CASE("hone::parity box losses differ from hone's own where the libraries do") {
  const view none;
  const auto differ = [](auto const& theirs, auto const& own, double const(&p)[4], double const(&t)[4]) {
    return std::abs(answer_of(theirs, p, t).value - answer_of(own, p, t).value);
  };
  const double p[] = {0.5, 0.25, 0.504, 0.252}, t[] = {0.5005, 0.2495, 0.5035, 0.2525};  // fractions of an image
  CHECK(differ(parity::torchvision_giou_loss(none), hone::giou_loss(none), p, t) > 1e-3);
  CHECK(differ(parity::torchvision_diou_loss(none), hone::diou_loss(none), p, t) > 1e-3);
  CHECK(differ(parity::torchvision_ciou_loss(none), hone::ciou_loss(none), p, t) > 1e-3);
  CHECK(differ(parity::mmdet_diou_loss(none), hone::diou_loss(none), p, t) > 1e-3);
  CHECK(differ(parity::ultralytics_ciou_loss(none), hone::ciou_loss(none), p, t) > 1e-3);
  CHECK(differ(parity::ultralytics_ciou_loss(none), parity::torchvision_ciou_loss(none), p, t) > 1e-5);
  const double flat[] = {1, 1, 9, 2}, tall[] = {4, 0, 5, 8};  // an IoU below 0.5, in pixels
  CHECK(differ(parity::mmdet_ciou_loss(none), hone::ciou_loss(none), flat, tall) > 0.1);
  CHECK(differ(parity::paddle_squared_ciou_loss(none), hone::ciou_loss(none), flat, tall) > 0.1);
  const double point[] = {2, 2, 2, 2};
  CHECK(answer_of(parity::paddle_diou_loss(none), point, point).value == 2);
  CHECK(answer_of(hone::diou_loss(none), point, point).value == 1);
}

TEST_CASE("parity::mmdet_siou_loss is 0 for boxes that are far apart, as mmdet's") {
  const double p[] = {0, 0, 1, 1}, t[] = {50, 60, 51, 61};
  const answer seen = answer_of(parity::mmdet_siou_loss(view()), p, t);
  CHECK(seen.value == 0);
  CHECK(size_of(seen.grad) == 0);
  CHECK(answer_of(hone::siou_loss(view()), p, t).value > 1.5);
}

TEST_CASE("parity::mmdet_ciou_loss of equal boxes is 0 where mmdet's is NaN") {
  const float b[] = {0, 0, 2, 2};
  const answer seen = answer_of<float>(parity::mmdet_ciou_loss(view()), b, b);
  CHECK(seen.value == 0);
  CHECK(size_of(seen.grad) <= 1e-7);
}

TEST_CASE_TEMPLATE("hone::parity box losses are finite for every finite box", T, float, double) {
  using limits = std::numeric_limits<T>;
  const T numbers[] = {T(0),     T(-1),          T(1),           T(1e-30),       T(1e-12),     T(3e-8),
                       T(0.25),  T(1e9),         T(-1e9),        limits::max(),  T(1e-7),      limits::lowest(),
                       T(1e19),  T(-1e-18),      limits::min(),  T(1e-6),        T(-1e-5),     limits::denorm_min(),
                       T(0.001), T(3.0000001e3), T(2.9999999e3), T(-3.000001e3), T(0.2500001), T(-7.5e-4)};
  std::mt19937 random(3);
  std::uniform_int_distribution<std::size_t> pick(0, std::size(numbers) - 1);
  each_loss([&](std::string const& name, auto const& term, auto const&) {
    CAPTURE(name);
    for (int k = 0; k < 40000; ++k) {
      T p[4], t[4];
      for (T& x : p) x = numbers[pick(random)];
      for (std::size_t c = 0; c < 4; ++c) t[c] = k % 4 == 0 ? p[c] : numbers[pick(random)];
      const bool finite = answer_of<T>(term, p, t).finite() && answer_of<T, hone::centers_format>(term, p, t).finite();
      if (finite) continue;
      for (const T x : p) MESSAGE("predicted " << x);
      for (const T x : t) MESSAGE("target " << x);
      REQUIRE(finite);
    }
  });
}

TEST_CASE("hone::parity box losses: NaN in a box gives NaN in the value and the gradient") {
  each_loss([](std::string const& name, auto const& term, auto const&) {
    CAPTURE(name);
    for (std::size_t i = 0; i < 8; ++i) {
      CAPTURE(i);
      double p[] = {1, 2, 6, 7.5}, t[] = {1.5, 1.5, 6.5, 7};
      (i < 4 ? p[i] : t[i - 4]) = std::numeric_limits<double>::quiet_NaN();
      const answer seen = answer_of(term, p, t);
      CHECK(std::isnan(seen.value));
      CHECK(std::any_of(seen.grad, seen.grad + 4, [](double g) { return std::isnan(g); }));
    }
  });
}

TEST_CASE("hone::parity box losses: invalid options throw with the parameter's name") {
  const view none;
  CHECK_THROWS_WITH_AS(parity::torchvision_giou_loss(none, {.eps = -1}),
                       "torchvision_giou_loss: eps is -1, must be in [0, 1]", hone::invalid_argument);
  CHECK_THROWS_WITH_AS(parity::torchvision_diou_loss(none, {.eps = 2}),
                       "torchvision_diou_loss: eps is 2, must be in [0, 1]", hone::invalid_argument);
  CHECK_THROWS_WITH_AS(parity::torchvision_ciou_loss(none, {.eps = std::nan("")}),
                       "torchvision_ciou_loss: eps is nan, must be in [0, 1]", hone::invalid_argument);
  CHECK_THROWS_WITH_AS(parity::mmdet_giou_loss(none, {.eps = -1}), "mmdet_giou_loss: eps is -1, must be in [0, 1]",
                       hone::invalid_argument);
  CHECK_THROWS_WITH_AS(parity::mmdet_diou_loss(none, {.eps = -1}), "mmdet_diou_loss: eps is -1, must be in [0, 1]",
                       hone::invalid_argument);
  CHECK_THROWS_WITH_AS(parity::mmdet_ciou_loss(none, {.eps = -1}), "mmdet_ciou_loss: eps is -1, must be in [0, 1]",
                       hone::invalid_argument);
  CHECK_THROWS_WITH_AS(parity::mmdet_siou_loss(none, {.eps = -1}), "mmdet_siou_loss: eps is -1, must be in [0, 1]",
                       hone::invalid_argument);
  CHECK_THROWS_WITH_AS(parity::paddle_diou_loss(none, {.eps = -1}), "paddle_diou_loss: eps is -1, must be in [0, 1]",
                       hone::invalid_argument);
  CHECK_THROWS_WITH_AS(parity::paddle_ciou_loss(none, {.eps = -1}), "paddle_ciou_loss: eps is -1, must be in [0, 1]",
                       hone::invalid_argument);
}
