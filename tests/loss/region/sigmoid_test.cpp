// SPDX-License-Identifier: MIT
// Region losses of sigmoids against dual numbers at 1e-12, by every logit. The reference is written from the papers and
// shares no line with the library.
#include <hone/hone.hpp>

#include <support/dual.hpp>
#include <support/numbers.hpp>

#include <doctest/doctest.h>

#include <cmath>
#include <functional>
#include <limits>
#include <string>
#include <vector>

namespace {

using hone::absent_classes;
using support::dual;
using support::noise;

bool near(double seen, double expected, double bound = 1e-12) {
  return std::abs(seen - expected) <= bound * (1 + std::abs(expected));
}

using class_loss = std::function<dual(dual both, dual prediction, dual target)>;

/// Elements with a target and a weight, and the rule of a loss.
struct example {
  hone::index rows, columns, rows_of_region;
  std::vector<double> x, t, weight;
  class_loss of_class;
  bool squared = false;
  absent_classes absent = absent_classes::skipped;

  dual loss(std::vector<dual> const& logits) const {
    dual total(0);
    double regions = 0;
    for (hone::index first = 0; first < rows; first += rows_of_region) {
      dual of_region(0);
      double classes = 0, pixels = 0;
      for (hone::index c = 0; c < columns; ++c) {
        dual I(0), P(0), Q(0);
        for (hone::index i = first; i < first + rows_of_region; ++i) {
          const auto e = std::size_t(i * columns + c);
          const dual p = dual(1.0) / (dual(1.0) + exp(-logits[e])), q(t[e]), w(weight[e]);
          I = I + w * p * q, P = P + w * (squared ? p * p : p), Q = Q + w * (squared ? q * q : q);
          pixels += weight[e];
        }
        if (Q.v == 0 && absent == absent_classes::skipped) continue;
        ++classes;
        if (Q.v != 0 || absent == absent_classes::counted) of_region = of_region + of_class(I, P, Q);
      }
      if (classes == 0 || pixels == 0) continue;
      ++regions, total = total + of_region / dual(classes);
    }
    return regions == 0 ? dual(0) : total / dual(regions);
  }
};

example of(hone::index rows, hone::index columns, class_loss of_class) {
  const auto size = std::size_t(rows * columns);
  example e{rows, columns, rows, noise(3, rows * columns), {}, std::vector<double>(size, 1), std::move(of_class)};
  for (std::size_t i = 0; i < size; ++i) e.t.push_back(i % 3 == 0 ? 1 : i % 5 == 1 ? 0.25 : 0);
  return e;
}

/// Compares the value and every derivative, of the matrix if a region is all rows, of the images otherwise.
template <class Make>
void agree(const char* name, Make const& make, example const& e) {
  CAPTURE(std::string(name));
  const bool images = e.rows_of_region < e.rows;
  const hone::index pixels = images ? e.rows_of_region : 1;
  const auto place = [&](std::size_t j) {
    const hone::index i = hone::index(j) / e.columns, c = hone::index(j) % e.columns;
    return images ? std::size_t((i / pixels * e.columns + c) * pixels + i % pixels) : j;
  };
  std::vector<double> x(e.x.size()), t(x.size()), w(x.size()), g(x.size(), 7);
  for (std::size_t j = 0; j < x.size(); ++j) x[place(j)] = e.x[j], t[place(j)] = e.t[j], w[place(j)] = e.weight[j];
  const auto answer = [&](auto const& view, auto const& gradient) {
    return hone::evaluate(hone::cpu(1), make(view(t), view(w)), view(x), {.gradient = gradient});
  };
  const hone::index n = e.rows / pixels, K = e.columns;
  const double value = images ? answer([&](auto const& v) { return hone::image_view{v.data(), n, K, pixels}; },
                                       hone::image_view{g.data(), n, K, pixels})
                              : answer([&](auto const& v) { return hone::matrix_view{v.data(), n, K}; },
                                       hone::matrix_view{g.data(), n, K});
  for (std::size_t j = 0; j < x.size(); ++j) {
    std::vector<dual> logits;
    logits.reserve(x.size());
    for (std::size_t k = 0; k < x.size(); ++k) logits.emplace_back(e.x[k], j == k ? 1.0 : 0.0);
    const dual expected = e.loss(logits);
    CAPTURE(j);
    CHECK(near(value, expected.v));
    CHECK(near(g[place(j)], expected.d));
    if (e.weight[j] == 0) CHECK(g[place(j)] == 0);
  }
}

const dual one(1.0);

dual dice(dual i, dual p, dual q, double above, double below) {
  return (dual(2.0) * i + dual(above)) / (p + q + dual(below));
}
dual tversky(dual i, dual p, dual q, double alpha, double beta) {
  return i / (i + dual(alpha) * (p - i) + dual(beta) * (q - i));
}

}  // namespace

TEST_CASE("region losses of sigmoids match dual numbers in every logit, for one class and for several") {
  for (const hone::index columns : {1, 3, 9}) {
    CAPTURE(columns);
    const auto with = [&](class_loss l) { return of(6, columns, std::move(l)); };
    agree(
        "dice", [](auto t, auto) { return hone::sigmoid_dice_loss(t); },
        with([](dual i, dual p, dual q) { return one - dice(i, p, q, 0, 0); }));
    agree(
        "log dice", [](auto t, auto) { return hone::sigmoid_dice_loss(t, {.smooth = 1, .logarithm = true}); },
        with([](dual i, dual p, dual q) { return -log(dice(i, p, q, 1, 1)); }));
    example squared = with([](dual i, dual p, dual q) { return one - dice(i, p, q, 0, 1); });
    squared.squared = true;
    agree(
        "squared",
        [](auto t, auto) {
          return hone::sigmoid_dice_loss(t, {.smooth = 0, .smooth_denominator = 1, .squared = true});
        },
        squared);
    agree(
        "jaccard", [](auto t, auto) { return hone::sigmoid_jaccard_loss(t, {.smooth = 0.5}); },
        with([](dual i, dual p, dual q) { return one - (i + dual(0.5)) / (p + q - i + dual(0.5)); }));
    agree(
        "tversky", [](auto t, auto) { return hone::sigmoid_tversky_loss(t, {.alpha = 0.2, .beta = 0.9}); },
        with([](dual i, dual p, dual q) { return one - tversky(i, p, q, 0.2, 0.9); }));
    agree(
        "focal tversky", [](auto t, auto) { return hone::sigmoid_focal_tversky_loss(t); },
        with([](dual i, dual p, dual q) { return exp(dual(0.75) * log(one - tversky(i, p, q, 0.3, 0.7))); }));
  }
}

TEST_CASE("weights of elements multiply the sums of a sigmoid region loss, of the batch and of each image") {
  for (const hone::index columns : {1, 4})
    for (const absent_classes absent : {absent_classes::skipped, absent_classes::zero, absent_classes::counted})
      for (const hone::index rows : {12, 4}) {
        CAPTURE(columns);
        CAPTURE(int(absent));
        CAPTURE(rows);
        example e = of(12, columns, [](dual i, dual p, dual q) { return one - dice(i, p, q, 0.5, 0.5); });
        e.absent = absent, e.rows_of_region = rows;
        for (std::size_t j = 0; j < e.t.size(); ++j) {
          e.weight[j] = j % 7 == 2 ? 0 : j % 7 == 4 ? 2.5 : 1;
          if (j / std::size_t(columns) < 4 && j % std::size_t(columns) == 0) e.t[j] = 0;  // absent in the first image
          if (j / std::size_t(columns) >= 8) e.weight[j] = 0;                             // the third does not count
        }
        agree(
            "dice",
            [&](auto t, auto w) {
              return hone::weigh_elements(
                  hone::sigmoid_dice_loss(t, {.smooth = 0.5, .per_image = rows == 4, .absent = absent}), w);
            },
            e);
      }
}

TEST_CASE("targets of rows are targets of elements: labels with background and ignored rows, mixed and smoothed") {
  const std::vector<int> labels{0, -1, 255, 2, 1, 2, 0, 1}, others{1, 1, 0, 0, 2, 2, 0, 1};
  const auto target = hone::classes(labels, {.ignore = 255});
  example e = of(8, 3, [](dual i, dual p, dual q) { return one - dice(i, p, q, 0, 0); });
  for (std::size_t j = 0; j < e.t.size(); ++j)
    e.t[j] = labels[j / 3] == int(j % 3), e.weight[j] = labels[j / 3] == 255 ? 0 : 1;
  agree("labels", [&](auto, auto) { return hone::sigmoid_dice_loss(target); }, e);
  e.weight.assign(e.t.size(), 1);
  const std::vector<int> kept{0, 1, 2, 2, 1, 2, 0, 1};
  for (std::size_t j = 0; j < e.t.size(); ++j)
    e.t[j] = 0.9 * (0.25 * (kept[j / 3] == int(j % 3)) + 0.75 * (others[j / 3] == int(j % 3))) + 0.1 / 3;
  agree(
      "smoothed mixture",
      [&](auto, auto) {
        return hone::sigmoid_dice_loss(hone::smooth(hone::mix(hone::classes(kept), hone::classes(others), 0.25), 0.1));
      },
      e);
}

TEST_CASE("sigmoid region losses of extreme logits, of one pixel and of empty targets are defined") {
  const double infinite = std::numeric_limits<double>::infinity(), nan = std::nan("");
  const auto of_one = [](double x, double t, absent_classes absent, double& gradient) {
    return hone::evaluate(hone::cpu(1),
                          hone::sigmoid_dice_loss(hone::matrix_view<const double>{&t, 1, 1}, {.absent = absent}),
                          hone::matrix_view<const double>{&x, 1, 1}, {.gradient = {&gradient, 1, 1}});
  };
  double g = 7;
  for (const double x : {-infinite, -1e308, -1000.0}) {  // p = 0: a missed pixel counts, although Σ p is 0
    CHECK(of_one(x, 1, absent_classes::skipped, g) == 1);
    CHECK(g == 0);
    CHECK(of_one(x, 0, absent_classes::counted, g) == 0);
    CHECK(g == 0);
  }
  for (const double x : {infinite, 1e308, 1000.0}) {
    CHECK(of_one(x, 1, absent_classes::skipped, g) == 0);
    CHECK(g == 0);
    CHECK(of_one(x, 0, absent_classes::counted, g) == 1);
    CHECK(g == 0);
    CHECK(of_one(x, 0, absent_classes::skipped, g) == 0);
  }
  CHECK(std::isnan(of_one(nan, 1, absent_classes::skipped, g)));
  CHECK(std::isnan(g));
  CHECK(of_one(nan, 0, absent_classes::skipped, g) == 0);
}

TEST_CASE("an image whose probabilities are all 0 counts in the mean over the images") {
  const std::vector<float> x{-1000, -1000, 0, 0}, t{0, 0, 1, 1};
  const auto of_images = [&](absent_classes absent) {
    return hone::evaluate(
        hone::cpu(1),
        hone::sigmoid_dice_loss(hone::image_view{t.data(), 2, 1, 2}, {.per_image = true, .absent = absent}),
        hone::image_view{x.data(), 2, 1, 2});
  };
  const double second = 1 - 2 * (0.5 + 0.5) / (1 + 2);
  CHECK(near(of_images(absent_classes::counted), second / 2));
  CHECK(near(of_images(absent_classes::zero), second / 2));
  CHECK(near(of_images(absent_classes::skipped), second));
}
