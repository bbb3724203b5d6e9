// SPDX-License-Identifier: MIT
// Box losses against the formulas of their papers on dual numbers, and their edges.
#include <hone/hone.hpp>

#include <loss/box/boxes.hpp>

#include <doctest/doctest.h>

#include <array>
#include <bit>
#include <cmath>
#include <cstdint>
#include <functional>
#include <random>
#include <string>
#include <vector>

namespace {

using naive::dual;
using box = std::array<double, 4>;

struct pair {
  const char* name;
  box predicted, target;
};

/// Two boxes in general position: nothing ties, so that every loss has a derivative.
std::vector<pair> const& regular() {
  static const std::vector<pair> all = [] {
    std::vector<pair> pairs{{"overlap", {1, 2, 6, 7.5}, {3, 1, 9, 6}},
                            {"overlap from below", {3, 1, 9, 6}, {1, 2, 6, 7.5}},
                            {"nested", {2, 3.5, 4, 6}, {1, 1, 7, 8}},
                            {"holding", {1, 1, 7, 8}, {2, 3.5, 4, 6}},
                            {"crossing", {1, 3, 9, 4}, {4, 1, 5.5, 7}},
                            {"apart along x", {1, 1, 3, 4}, {6, 2, 9, 5}},
                            {"apart along both", {7, 9, 9, 12}, {1, 2, 3, 5}},
                            {"small", {0.001, 0.002, 0.006, 0.0075}, {0.003, 0.001, 0.009, 0.006}},
                            {"large", {100, 200, 60000, 75000}, {300, 100, 90000, 60000}},
                            {"far out", {-30001, 20002, -29990, 20013.5}, {-29998, 20001, -29988, 20009}}};
    std::mt19937 random(5);
    std::uniform_real_distribution<double> at(-20, 20), side(0.5, 15);
    for (int i = 0; i < 60; ++i) {
      const double x = at(random), y = at(random), tx = x + at(random) / 2, ty = y + at(random) / 2;
      pairs.push_back(
          {"random", {x, y, x + side(random), y + side(random)}, {tx, ty, tx + side(random), ty + side(random)}});
    }
    return pairs;
  }();
  return all;
}

naive::corners seeded(box const& b, int by) {
  const auto at = [&](int c) { return dual(b[std::size_t(c)], c == by ? 1 : 0); };
  return {at(0), at(1), at(2), at(3)};
}

struct answer {
  double value;
  std::array<double, 4> grad;
};

template <class Format = hone::corners_format, class Formula>
answer by_hand(Formula const& formula, box const& p, box const& t) {
  const double predicted[] = {p[0], p[1], p[2], p[3]}, target[] = {t[0], t[1], t[2], t[3]};
  double grad[4];
  const double value = hone::detail::apply_formula<Format>(formula, predicted, target, grad);
  return {value, {grad[0], grad[1], grad[2], grad[3]}};
}

/// The written gradient is the derivative of the source's formula, and the value is its value.
template <class Formula, class Reference>
void prove(Formula const& formula, Reference const& reference) {
  for (pair const& boxes : regular()) {
    CAPTURE(std::string(boxes.name));
    const answer seen = by_hand(formula, boxes.predicted, boxes.target);
    double size = 0;  // of the gradient: what is small beside it was cancelled
    for (int c = 0; c < 4; ++c)
      size = std::max(size, std::abs(reference(seeded(boxes.predicted, c), seeded(boxes.target, -1)).d));
    for (int c = 0; c < 4; ++c) {
      const dual exact = reference(seeded(boxes.predicted, c), seeded(boxes.target, -1));
      CAPTURE(c);
      CHECK(std::abs(seen.value - exact.v) <= 1e-12 * (1 + std::abs(exact.v)));
      CHECK(std::abs(seen.grad[std::size_t(c)] - exact.d) <= 1e-11 * size + 1e-12 * std::abs(exact.d));
    }
  }
}

template <class Visit>
void each_loss(Visit const& visit) {
  visit("iou_loss", hone::one_minus<hone::iou_metric>{}, naive::iou_loss);
  visit("log_iou_loss", hone::log_iou_formula{}, naive::log_iou_loss);
  visit("squared_iou_loss", hone::squared_iou_formula{}, naive::squared_iou_loss);
  visit("giou_loss", hone::one_minus<hone::giou_metric>{}, naive::giou_loss);
  visit("diou_loss", hone::one_minus<hone::diou_metric>{}, naive::diou_loss);
  visit("ciou_loss", hone::one_minus<hone::ciou_metric>{}, naive::ciou_loss);
  visit("eiou_loss", hone::one_minus<hone::eiou_metric>{}, naive::eiou_loss);
  visit("focal_eiou_loss", hone::focal_eiou_formula{0.5},
        [](naive::corners const& a, naive::corners const& b) { return naive::focal_eiou_loss(a, b, 0.5); });
  visit("focal_eiou_loss, gamma 0", hone::focal_eiou_formula{0},
        [](naive::corners const& a, naive::corners const& b) { return naive::focal_eiou_loss(a, b, 0); });
  visit("siou_loss", hone::one_minus<hone::siou_metric>{}, naive::siou_loss);
  using boxes = naive::corners;
  for (const double alpha : {1.0, 2.0, 3.0, 4.5}) {
    visit("alpha_iou_loss", hone::experimental::alpha_iou_formula{alpha},
          [=](boxes const& a, boxes const& b) { return naive::alpha_iou_loss(a, b, alpha); });
    visit("alpha_diou_loss", hone::one_minus<hone::experimental::alpha_diou_metric>{{alpha}},
          [=](boxes const& a, boxes const& b) { return naive::alpha_diou_loss(a, b, alpha); });
  }
  for (const double ratio : {0.7, 1.3})
    visit("inner_iou_loss", hone::one_minus<hone::experimental::inner_iou_metric>{{ratio}},
          [=](boxes const& a, boxes const& b) { return naive::inner_iou_loss(a, b, ratio); });
  visit("mpdiou_loss", hone::one_minus<hone::experimental::mpdiou_metric>{{1 / (640.0 * 640 + 480 * 480)}},
        [](boxes const& a, boxes const& b) { return naive::mpdiou_loss(a, b, 640, 480); });
  for (const double mean : {0.0, 0.6})
    visit("wise_iou_loss", hone::experimental::wise_iou_formula{mean, 1.9, 3},
          [=](boxes const& a, boxes const& b) { return naive::wise_iou_loss(a, b, mean, 1.9, 3); });
}

/// Numbers of all sizes, and of no size at all.
template <class T>
std::vector<T> adversarial(std::size_t count, unsigned seed) {
  const T largest = std::numeric_limits<T>::max();
  const std::vector<T> special{0,
                               -T(0),
                               1,
                               -1,
                               2,
                               T(0.5),
                               T(1e-30),
                               T(-1e-30),
                               T(1e-10),
                               T(1e10),
                               T(-1e10),
                               largest,
                               -largest,
                               std::numeric_limits<T>::min(),
                               std::numeric_limits<T>::denorm_min()};
  using bits = std::conditional_t<sizeof(T) == 4, std::uint32_t, std::uint64_t>;
  std::mt19937_64 random(seed);
  std::vector<T> numbers;
  while (numbers.size() < count) {
    const auto x = random();
    T number = x % 3 == 0   ? special[(x >> 8) % special.size()]
               : x % 3 == 1 ? static_cast<T>(static_cast<double>(x >> 40) / 65536 - 128)
                            : std::bit_cast<T>(static_cast<bits>(random()));
    numbers.push_back(std::isfinite(number) ? number : T(0));
  }
  return numbers;
}

template <class T, class Formula, class Format>
void stays_finite(Formula const& formula, Format format, hone::index boxes) {
  const hone::index most = 100000;
  for (hone::index done = 0; done < boxes; done += most) {
    const hone::index n = std::min(most, boxes - done);
    const auto p = adversarial<T>(std::size_t(4 * n), unsigned(done + 1)),
               t = adversarial<T>(std::size_t(4 * n), unsigned(done + 2));
    std::vector<T> gradient(p.size()), losses(std::size_t(n), 0);
    hone::evaluate(hone::cpu(), hone::detail::box_loss(formula, format, hone::matrix_view{t.data(), n, 4}),
                   hone::matrix_view{p.data(), n, 4}, {.gradient = {gradient.data(), n, 4}, .unreduced = losses.data()},
                   hone::sum);
    hone::index wrong = -1;
    for (hone::index i = 0; i < 4 * n; ++i)
      if (!std::isfinite(gradient[std::size_t(i)]) || !std::isfinite(losses[std::size_t(i / 4)])) wrong = i / 4;
    if (wrong < 0) continue;
    const auto at = [&](auto const& v, hone::index c) { return double(v[std::size_t(4 * wrong + c)]); };
    FAIL_CHECK(sizeof(T) * 8, " bits: ", at(p, 0), " ", at(p, 1), " ", at(p, 2), " ", at(p, 3), " beside ", at(t, 0),
               " ", at(t, 1), " ", at(t, 2), " ", at(t, 3), " gives ", losses[std::size_t(wrong)], " and ",
               at(gradient, 0), " ", at(gradient, 1), " ", at(gradient, 2), " ", at(gradient, 3));
    return;
  }
}

}  // namespace

TEST_CASE("box loss gradients are the derivatives of their papers' formulas") {
  each_loss([](const char* name, auto const& formula, auto const& reference) {
    CAPTURE(std::string(name));
    prove(formula, reference);
  });
}

TEST_CASE("box loss gradients are right in every format") {
  each_loss([](const char* name, auto const& formula, auto const& reference) {
    CAPTURE(std::string(name));
    for (pair const& boxes : regular()) {
      CAPTURE(std::string(boxes.name));
      const auto by = [&](auto corners_of) {  // the reference through a format's own chain of dual numbers
        std::array<double, 4> grad;
        for (int c = 0; c < 4; ++c) grad[std::size_t(c)] = reference(corners_of(c), seeded(boxes.target, -1)).d;
        return grad;
      };
      const auto check = [&](answer const& seen, std::array<double, 4> const& exact) {
        double size = 0;
        for (const double g : exact) size = std::max(size, std::abs(g));
        for (std::size_t c = 0; c < 4; ++c) CHECK(std::abs(seen.grad[c] - exact[c]) <= 1e-9 * size);
      };
      const box p = boxes.predicted, t = boxes.target;
      const box centers{(p[0] + p[2]) / 2, (p[1] + p[3]) / 2, p[2] - p[0], p[3] - p[1]};
      const box target{(t[0] + t[2]) / 2, (t[1] + t[3]) / 2, t[2] - t[0], t[3] - t[1]};
      check(by_hand<hone::centers_format>(formula, centers, target), by([&](int c) {
              const auto at = [&](std::size_t k) { return dual(centers[k], int(k) == c ? 1 : 0); };
              const dual half(0.5);
              return naive::corners{at(0) - half * at(2), at(1) - half * at(3), at(0) + half * at(2),
                                    at(1) + half * at(3)};
            }));
      const box top_left{p[0], p[1], p[2] - p[0], p[3] - p[1]}, top_left_target{t[0], t[1], t[2] - t[0], t[3] - t[1]};
      check(by_hand<hone::top_left_format>(formula, top_left, top_left_target), by([&](int c) {
              const auto at = [&](std::size_t k) { return dual(top_left[k], int(k) == c ? 1 : 0); };
              return naive::corners{at(0), at(1), at(0) + at(2), at(1) + at(3)};
            }));
    }
  });
}

TEST_CASE("equal boxes have a loss of 0 and a gradient of 0") {
  each_loss([](const char* name, auto const& formula, auto const&) {
    CAPTURE(std::string(name));
    for (box const& b : {box{1, 2, 5, 10}, box{-3, -4, -1, 0}, box{0, 0, 0.25, 1024}}) {
      const answer seen = by_hand(formula, b, b);
      CHECK(seen.value == 0);
      for (const double g : seen.grad) CHECK(std::abs(g) <= 1e-15);
    }
  });
}

TEST_CASE("box loss gradients on a tie are the mean of both sides") {
  each_loss([](const char* name, auto const& formula, auto const& reference) {
    CAPTURE(std::string(name));
    for (pair const& boxes :
         {pair{"one edge", {1, 2, 6, 7.5}, {1, 3, 8, 6}}, pair{"two edges", {1, 2, 6, 7}, {1, 1, 6, 5}},
          pair{"inside, one edge", {2, 2, 4, 8}, {1, 1, 7, 8}}}) {
      CAPTURE(std::string(boxes.name));
      const answer seen = by_hand(formula, boxes.predicted, boxes.target);
      for (std::size_t c = 0; c < 4; ++c) {
        box above = boxes.predicted, below = boxes.predicted;
        above[c] += 1e-7, below[c] -= 1e-7;
        const double mean = (reference(seeded(above, int(c)), seeded(boxes.target, -1)).d +
                             reference(seeded(below, int(c)), seeded(boxes.target, -1)).d) /
                            2;
        CHECK(seen.grad[c] == doctest::Approx(mean).epsilon(1e-5).scale(0.1));
      }
    }
  });
}

TEST_CASE("box losses have the values worked out by hand") {
  const auto iou = [](box const& p, box const& t) {
    return 1 - by_hand(hone::one_minus<hone::iou_metric>{}, p, t).value;
  };
  CHECK(iou({0, 0, 2, 2}, {1, 0, 3, 2}) == doctest::Approx(1.0 / 3).epsilon(1e-15));
  CHECK(iou({0, 0, 2, 2}, {2, 0, 4, 2}) == 0);  // they touch
  CHECK(iou({0, 0, 4, 4}, {0, 0, 2, 2}) == 0.25);
  CHECK(iou({0, 0, 0, 4}, {0, 0, 2, 2}) == 0);  // no area
  CHECK(iou({0, 0, 0, 0}, {0, 0, 0, 0}) == 0);
  const auto giou = [](box const& p, box const& t) {
    return by_hand(hone::one_minus<hone::giou_metric>{}, p, t).value;
  };
  CHECK(giou({0, 0, 1, 1}, {3, 0, 4, 1}) == 1.5);  // half of the hull is empty
  const auto diou = [](box const& p, box const& t) {
    return by_hand(hone::one_minus<hone::diou_metric>{}, p, t).value;
  };
  CHECK(diou({0, 0, 1, 1}, {3, 3, 4, 4}) == 1 + 18.0 / 32);
}

TEST_CASE("an inverted box is treated as a box of width 0 at its first corner") {
  each_loss([](const char* name, auto const& formula, auto const&) {
    CAPTURE(std::string(name));
    const box target{1, 2, 5, 9};
    const answer inverted = by_hand(formula, {4, 3, 2, 7}, target), thin = by_hand(formula, {4, 3, 4, 7}, target);
    CHECK(inverted.value == thin.value);
    CHECK(inverted.grad[0] == thin.grad[0] + thin.grad[2]);
    CHECK(inverted.grad[2] == 0);
    CHECK(inverted.grad[1] == thin.grad[1]);
    const answer negative = by_hand<hone::centers_format>(formula, {4, 5, -2, 4}, {3, 5.5, 4, 7});
    const answer none = by_hand<hone::centers_format>(formula, {4, 5, 0, 4}, {3, 5.5, 4, 7});
    CHECK(negative.value == none.value);
    CHECK(negative.grad[2] == 0);
  });
}

TEST_CASE("box losses and gradients are finite for every finite input") {
  each_loss([](const char* name, auto const& formula, auto const&) {
    CAPTURE(std::string(name));
    stays_finite<float>(formula, hone::corners, 600000);
    stays_finite<float>(formula, hone::centers, 200000);
    stays_finite<float>(formula, hone::top_left, 100000);
    stays_finite<double>(formula, hone::corners, 200000);
  });
}

TEST_CASE("box losses: invalid shapes and options throw") {
  std::vector<float> p(20), t(20), g(20, 7.0f);
  const hone::cpu cpu;
  const auto evaluate = [&](auto const& objective, hone::matrix_view<float> prediction) {
    hone::evaluate(cpu, objective, prediction, {.gradient = {g.data(), prediction.rows, prediction.columns}});
  };
  CHECK_THROWS_WITH_AS(evaluate(hone::iou_loss(hone::matrix_view{t.data(), 4, 5}), {p.data(), 4, 5}),
                       "evaluate: prediction is 4 x 5, boxes are rows of 4", hone::invalid_argument);
  CHECK_THROWS_WITH_AS(evaluate(hone::iou_loss(hone::matrix_view{t.data(), 4, 4}), {p.data(), 5, 4}),
                       "evaluate: boxes is 4 x 4, prediction is 5 x 4", hone::invalid_argument);
  CHECK_THROWS_WITH_AS(evaluate(hone::iou_loss(hone::matrix_view<float>{nullptr, 5, 4}), {p.data(), 5, 4}),
                       "evaluate: boxes is 5 x 4 but has no data", hone::invalid_argument);
  CHECK_THROWS_WITH_AS(hone::focal_eiou_loss(hone::matrix_view{t.data(), 5, 4}, {.gamma = -1}),
                       "focal_eiou_loss: gamma is -1, must be finite and not negative", hone::invalid_argument);
  std::vector<float> out(6, 7.0f);
  CHECK_THROWS_WITH_AS(hone::pairwise_iou(cpu, hone::matrix_view{p.data(), 4, 5}, hone::matrix_view{t.data(), 3, 4},
                                          hone::matrix_view{out.data(), 2, 3}),
                       "pairwise_iou: a is 4 x 5, boxes are rows of 4", hone::invalid_argument);
  CHECK_THROWS_WITH_AS(hone::pairwise_ciou(cpu, hone::matrix_view{p.data(), 2, 4}, hone::matrix_view{t.data(), 3, 4},
                                           hone::matrix_view{out.data(), 3, 2}),
                       "pairwise_ciou: out is 3 x 2, for 2 and 3 boxes", hone::invalid_argument);
  CHECK_THROWS_WITH_AS(hone::pairwise_ioa(cpu, hone::matrix_view{p.data(), 2, 4}, hone::matrix_view{t.data(), 3, 4, 3},
                                          hone::matrix_view{out.data(), 2, 3}),
                       "pairwise_ioa: b has a row_stride of 3, must be at least its 4 columns", hone::invalid_argument);
  CHECK(g == std::vector<float>(20, 7.0f));
  CHECK(out == std::vector<float>(6, 7.0f));
}

TEST_CASE("wise_iou_mean follows its running mean, and rejects values outside [0, 1]") {
  auto mean = hone::experimental::wise_iou_mean::over(1000);
  for (int i = 0; i < 1000; ++i) mean.update(0.25);
  CHECK(mean.mean == doctest::Approx(0.25 + 0.75 * 0.05).epsilon(1e-12));
  CHECK_THROWS_WITH_AS(mean.update(1.5), "wise_iou_mean: batch_mean is 1.5, must be in [0, 1]", hone::invalid_argument);
  CHECK_THROWS_WITH_AS(hone::experimental::wise_iou_mean::over(0), "wise_iou_mean: steps is 0, must be at least 1",
                       hone::invalid_argument);
}

TEST_CASE("experimental box losses: invalid options throw with the parameter's name") {
  const hone::matrix_view<const float> none;
  CHECK_THROWS_WITH_AS(hone::experimental::alpha_iou_loss(none, {.alpha = 0.5}),
                       "alpha_iou_loss: alpha is 0.5, must be finite and at least 1", hone::invalid_argument);
  CHECK_THROWS_WITH_AS(hone::experimental::inner_iou_loss(none, {.ratio = 0}),
                       "inner_iou_loss: ratio is 0, must be in (0, 100]", hone::invalid_argument);
  CHECK_THROWS_WITH_AS(hone::experimental::mpdiou_loss(none, 640, 0),
                       "mpdiou_loss: height is 0, must be finite and above 1e-6", hone::invalid_argument);
  CHECK_THROWS_WITH_AS(hone::experimental::wise_iou_loss(none, {.mean = -1}),
                       "wise_iou_loss: mean is -1, must be 0 or in [1e-6, 1]", hone::invalid_argument);
  CHECK_THROWS_WITH_AS(hone::experimental::wise_iou_loss(none, {.alpha = 1}),
                       "wise_iou_loss: alpha is 1, must be in (1, 10]", hone::invalid_argument);
}

TEST_CASE("pairwise_ioa is the intersection over the area of the first box") {
  const std::vector<float> a{0, 0, 2, 2, 0, 0, 4, 4, 1, 1, 1, 5}, crowd{0, 0, 3, 10};
  std::vector<float> out(3);
  hone::pairwise_ioa(hone::cpu(), hone::matrix_view{a.data(), 3, 4}, hone::matrix_view{crowd.data(), 1, 4},
                     {out.data(), 3, 1});
  CHECK(out == std::vector<float>{1, 0.75f, 0});
}
