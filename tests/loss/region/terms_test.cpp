// SPDX-License-Identifier: MIT
// Region losses against dual numbers at 1e-12, by their sums and by every logit. The references are written from the
// papers and share no line with the library.
#include <hone/hone.hpp>

#include <support/dual.hpp>
#include <support/numbers.hpp>

#include <doctest/doctest.h>

#include <cmath>
#include <functional>
#include <limits>
#include <vector>

namespace {

using hone::absent_classes;
using support::dual;
using support::noise;

bool near(double seen, double expected, double bound = 1e-12) {
  return std::abs(seen - expected) <= bound * (1 + std::abs(expected));
}

/// The derivatives of a formula are those of its value, for sums P and Q of a region and I up to the smaller of them.
void prove(hone::overlap_formula const& f) {
  for (const double P : {0.5, 3.0, 1000.0})
    for (const double Q : {0.25, 4.0, 900.0})
      for (const double share : {1e-6, 0.1, 0.7, 1.0}) {
        const double I = share * std::min(P, Q);
        CAPTURE(P);
        CAPTURE(Q);
        CAPTURE(share);
        const auto by_both = f(hone::region_sums<dual>{dual(I, 1), dual(P), dual(Q)});
        const auto by_prediction = f(hone::region_sums<dual>{dual(I), dual(P, 1), dual(Q)});
        const auto seen = f(hone::region_sums<double>{I, P, Q});
        CHECK(near(seen.loss, by_both.loss.v));
        CHECK(near(seen.by_both, by_both.loss.d));
        CHECK(near(seen.by_prediction, by_prediction.loss.d));
      }
}

using class_loss = std::function<dual(dual both, dual prediction, dual target)>;

/// A batch of pixels with a target, its ignored pixels, and the rule of a loss.
struct example {
  hone::index rows, columns, rows_of_region;
  std::vector<double> z, q;
  std::vector<bool> ignored;
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
          if (ignored[std::size_t(i)]) continue;
          dual sum(0);
          for (hone::index k = 0; k < columns; ++k) sum = sum + exp(logits[std::size_t(i * columns + k)]);
          const dual p = exp(logits[std::size_t(i * columns + c)]) / sum, t(q[std::size_t(i * columns + c)]);
          I = I + p * t, P = P + (squared ? p * p : p), Q = Q + (squared ? t * t : t), ++pixels;
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

/// 2 images of 4 pixels with 4 classes: class 3 is absent in the first, the third pixel is ignored, with a label that
/// is no class.
const std::vector<int> labels{0, 1, 255, 2, 3, 3, 0, 1};

example with(class_loss of_class) {
  example e{8, 4, 8, noise(0, 32), std::vector<double>(32), std::vector<bool>(8), std::move(of_class)};
  for (std::size_t i = 0; i < 8; ++i) {
    e.ignored[i] = labels[i] == 255;
    if (!e.ignored[i]) e.q[i * 4 + std::size_t(labels[i])] = 1;
  }
  return e;
}

template <class Objective>
void agree(const char* name, Objective const& objective, example const& e) {
  CAPTURE(name);
  const bool images = e.rows_of_region < e.rows;
  const hone::index pixels = images ? e.rows_of_region : 1;
  const auto place = [&](hone::index i, hone::index c) {
    return std::size_t(images ? (i / pixels * e.columns + c) * pixels + i % pixels : i * e.columns + c);
  };
  std::vector<double> z(e.z.size()), g(z.size(), 7);
  for (hone::index i = 0; i < e.rows; ++i)
    for (hone::index c = 0; c < e.columns; ++c) z[place(i, c)] = e.z[std::size_t(i * e.columns + c)];
  const hone::cpu cpu(1);
  const double value =
      images ? hone::evaluate(cpu, objective, hone::image_view{z.data(), e.rows / pixels, e.columns, pixels},
                              {.gradient = {g.data(), e.rows / pixels, e.columns, pixels}})
             : hone::evaluate(cpu, objective, hone::matrix_view{z.data(), e.rows, e.columns},
                              {.gradient = {g.data(), e.rows, e.columns}});
  for (hone::index i = 0; i < e.rows; ++i)
    for (hone::index c = 0; c < e.columns; ++c) {
      std::vector<dual> logits;
      for (std::size_t j = 0; j < e.z.size(); ++j)
        logits.push_back(dual(e.z[j], j == std::size_t(i * e.columns + c) ? 1 : 0));
      const dual expected = e.loss(logits);
      CAPTURE(i);
      CAPTURE(c);
      CHECK(near(value, expected.v));
      CHECK(near(g[place(i, c)], expected.d));
      if (e.ignored[std::size_t(i)]) CHECK(g[place(i, c)] == 0);
    }
}

dual dice(dual i, dual p, dual q, double above, double below) {
  return (dual(2.0) * i + dual(above)) / (p + q + dual(below));
}
dual tversky(dual i, dual p, dual q, double alpha, double beta, double smooth) {
  return (i + dual(smooth)) / (i + dual(alpha) * (p - i) + dual(beta) * (q - i) + dual(smooth));
}
const dual one(1.0);

}  // namespace

TEST_CASE("the derivatives of overlaps are those of their values") {
  prove({.times = 2, .both = 0, .prediction = 1, .target = 1});
  prove({.times = 2, .both = 0, .prediction = 1, .target = 1, .smooth_above = 1, .smooth_below = 1});
  prove({.times = 1, .both = -1, .prediction = 1, .target = 1, .smooth_below = 0.5});
  for (const double gamma : {0.75, 1.0, 2.0})
    for (const bool logarithm : {false, true}) {
      CAPTURE(gamma);
      CAPTURE(logarithm);
      hone::overlap_formula f{.times = 1, .both = 0, .prediction = 0.3, .target = 0.7, .smooth_below = 0.25};
      f.gamma = gamma, f.logarithm = logarithm;
      prove(f);
    }
}

TEST_CASE("overlaps of empty, perfect and missed classes are finite") {
  for (const bool logarithm : {false, true})
    for (const double gamma : {0.5, 1.0, 3.0}) {
      hone::overlap_formula f{.times = 1, .both = -1, .prediction = 1, .target = 1};
      f.gamma = gamma, f.logarithm = logarithm;
      const auto empty = f(hone::region_sums<double>{0, 0, 0}), perfect = f(hone::region_sums<double>{4, 4, 4}),
                 missed = f(hone::region_sums<double>{0, 0, 4});
      CHECK(empty.loss == 0);
      CHECK(empty.by_both == 0);
      CHECK(empty.by_prediction == 0);
      CHECK(perfect.loss == 0);
      CHECK(std::isfinite(perfect.by_both));
      CHECK(near(missed.loss, logarithm ? std::pow(-std::log(1e-7), gamma) : 1));
      CHECK(std::isfinite(missed.by_both));
    }
  const hone::overlap_formula f;
  CHECK(std::isnan(f(hone::region_sums<double>{std::nan(""), 1, 1}).loss));
}

TEST_CASE("Dice, Jaccard and Tversky losses of labels match dual numbers in every logit") {
  const auto target = hone::classes(labels, {.ignore = 255});
  agree("dice", hone::dice_loss(target), with([](dual i, dual p, dual q) { return one - dice(i, p, q, 0, 0); }));
  agree("log dice", hone::dice_loss(target, {.smooth = 1, .logarithm = true}),
        with([](dual i, dual p, dual q) { return -log(dice(i, p, q, 1, 1)); }));
  example squared = with([](dual i, dual p, dual q) { return one - dice(i, p, q, 0, 1); });
  squared.squared = true;
  agree("squared", hone::dice_loss(target, {.smooth = 0, .smooth_denominator = 1, .squared = true}), squared);
  agree("jaccard", hone::jaccard_loss(target, {.smooth = 0.5}),
        with([](dual i, dual p, dual q) { return one - (i + dual(0.5)) / (p + q - i + dual(0.5)); }));
  agree("tversky", hone::tversky_loss(target, {.alpha = 0.2, .beta = 0.9}),
        with([](dual i, dual p, dual q) { return one - tversky(i, p, q, 0.2, 0.9, 0); }));
  agree("focal tversky", hone::focal_tversky_loss(target, {.gamma = 1.5}),
        with([](dual i, dual p, dual q) { return exp(dual(1.5) * log(one - tversky(i, p, q, 0.3, 0.7, 0))); }));
  agree("defaults", hone::focal_tversky_loss(target),
        with([](dual i, dual p, dual q) { return exp(dual(0.75) * log(one - tversky(i, p, q, 0.3, 0.7, 0))); }));
}

TEST_CASE("a region is the batch or an image, and absent classes are skipped, zero or counted") {
  const auto target = hone::classes(labels, {.ignore = 255});
  for (const absent_classes absent : {absent_classes::skipped, absent_classes::zero, absent_classes::counted})
    for (const hone::index rows : {8, 4}) {
      CAPTURE(int(absent));
      CAPTURE(rows);
      example e = with([](dual i, dual p, dual q) { return one - dice(i, p, q, 1, 1); });
      e.absent = absent, e.rows_of_region = rows;
      agree("dice", hone::dice_loss(target, {.smooth = 1, .per_image = rows == 4, .absent = absent}), e);
    }
}

TEST_CASE("region losses take probabilities, mixtures and smoothed targets") {
  example e = with([](dual i, dual p, dual q) { return one - dice(i, p, q, 0, 0); });
  const std::vector<int> first{0, 1, 2, 3, 3, 2, 1, 0}, second{1, 1, 3, 0, 2, 2, 0, 3};
  std::vector<double> soft = noise(400, 32), lambda(8, 0.25);
  for (double& x : soft) x = std::abs(x) / 4;
  e.ignored.assign(8, false), e.q = soft;
  agree("probabilities", hone::dice_loss(hone::probabilities(hone::matrix_view{soft.data(), 8, 4})), e);
  const auto mixed = [&](double smoothing) {
    for (std::size_t i = 0; i < 8; ++i)
      for (std::size_t c = 0; c < 4; ++c)
        e.q[i * 4 + c] = (1 - smoothing) * (0.25 * (int(c) == first[i]) + 0.75 * (int(c) == second[i])) + smoothing / 4;
  };
  mixed(0);
  agree("mix", hone::dice_loss(hone::mix(hone::classes(first), hone::classes(second), lambda)), e);
  mixed(0.1);
  agree("smooth", hone::dice_loss(hone::smooth(hone::mix(hone::classes(first), hone::classes(second), lambda), 0.1)),
        e);
}
