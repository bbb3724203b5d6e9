// SPDX-License-Identifier: MIT
// Reliability diagrams: results worked out by hand, the definition in plain loops, and the scores beside it.
#include <hone/hone.hpp>

#include <calibration/reference.hpp>
#include <support/message.hpp>

#include <doctest/doctest.h>

#include <cstdint>
#include <limits>
#include <span>
#include <vector>

namespace {

using calibration::about, calibration::cpu, calibration::infinity, calibration::not_a_number, calibration::view;

hone::reliability_diagram diagram(calibration::data const& d, hone::reliability_options options = {},
                                  hone::cpu const& on = cpu) {
  return hone::reliability(on, hone::matrix_view{d.z.data(), d.rows, d.columns}, hone::classes(d.y, {.ignore = -1}),
                           options);
}

bool same(hone::reliability_diagram const& a, hone::reliability_diagram const& b) {
  bool equal = a.bins.size() == b.bins.size() && a.undefined == b.undefined && a.loss_sum == b.loss_sum &&
               a.brier_sum == b.brier_sum && a.equal_mass == b.equal_mass;
  for (std::size_t k = 0; equal && k < a.bins.size(); ++k) {
    const auto &x = a.bins[k], &y = b.bins[k];
    equal = x.lower == y.lower && x.upper == y.upper && x.count == y.count && x.correct == y.correct &&
            x.confidence_sum == y.confidence_sum;
  }
  return equal;
}

std::vector<hone::index> counts(hone::reliability_diagram const& d) {
  std::vector<hone::index> n;
  n.reserve(d.bins.size());
  for (const auto& b : d.bins) n.push_back(b.count);
  return n;
}

/// Rows of two logits with these confidences, for class 0.
std::vector<double> rows_of(std::vector<double> const& confidences) {
  std::vector<double> z;
  for (const double c : confidences) z.push_back(std::log(c / (1 - c))), z.push_back(0);
  return z;
}

}  // namespace

TEST_CASE("reliability of equal logits: a confidence of 1/K in class 0") {
  const std::vector<float> z(16, 3.0f);  // four rows of four classes, 0.25 sure
  const auto d = hone::reliability(cpu, view(z, 4), std::vector<int>{0, 3, 0, 2}, {.bins = 4});
  CHECK(counts(d) == std::vector<hone::index>{4, 0, 0, 0});  // 0.25 is in (0, 0.25]
  CHECK(d.bins[0].lower == 0);
  CHECK(d.bins[0].upper == 0.25);
  CHECK(d.bins[3].lower == 0.75);
  CHECK(d.bins[3].upper == 1);
  CHECK(d.bins[0].correct == 2);
  CHECK(d.bins[0].mean_confidence() == 0.25);
  CHECK(d.bins[0].accuracy() == 0.5);
  CHECK(d.bins[0].gap() == 0.25);
  CHECK(d.bins[1].mean_confidence() == 0);
  CHECK(d.bins[1].gap() == 0);
  CHECK(d.count() == 4);
  CHECK(d.expected_calibration_error() == 0.25);
  CHECK(d.maximum_calibration_error() == 0.25);
  CHECK(d.accuracy() == 0.5);
  CHECK(d.mean_confidence() == 0.25);
  CHECK(d.negative_log_likelihood() == about{std::log(4)});
  CHECK(d.brier_score() == 0.75);
}

TEST_CASE("expected_calibration_error weights bins by their rows, and errors within a bin cancel") {
  std::vector<float> z(8, 0.0f);                                  // two classes: 0.5, right once of four times
  for (int i = 0; i < 4; ++i) z.insert(z.end(), {200.0f, 0.0f});  // 1, right three times
  const std::vector<int> y{0, 1, 1, 1, 0, 0, 0, 1};
  const auto d = hone::reliability(cpu, view(z, 2), y, {.bins = 2});
  CHECK(counts(d) == std::vector<hone::index>{4, 4});
  CHECK(d.expected_calibration_error() == 0.25);
  CHECK(hone::reliability(cpu, view(z, 2), y, {.bins = 1}).expected_calibration_error() == 0.25);
  const std::vector<int> opposite{0, 0, 0, 1, 0, 0, 0, 1};  // +1/4 and -1/4
  CHECK(hone::reliability(cpu, view(z, 2), opposite, {.bins = 2}).expected_calibration_error() == 0.25);
  CHECK(hone::reliability(cpu, view(z, 2), opposite, {.bins = 2}).maximum_calibration_error() == 0.25);
  CHECK(hone::reliability(cpu, view(z, 2), opposite, {.bins = 1}).expected_calibration_error() == 0);
  CHECK(hone::reliability(cpu, view(z, 2), opposite, {.bins = 1}).maximum_calibration_error() == 0);
}

TEST_CASE("a calibrated classifier has a calibration error of 0") {
  std::vector<double> z;
  std::vector<int> y;
  for (int k = 1; k <= 6; ++k)  // 2^k rows that are 1 - 2^-k sure, one of them wrong
    for (int i = 0; i < 1 << k; ++i) z.insert(z.end(), {std::log((1 << k) - 1.0), 0}), y.push_back(i == 0 ? 1 : 0);
  const auto d = hone::reliability(cpu, view(z, 2), y);
  CHECK(d.expected_calibration_error() < 1e-14);
  CHECK(d.maximum_calibration_error() < 1e-14);
  CHECK(d.mean_confidence() == about{d.accuracy()});
  CHECK(hone::reliability(cpu, view(z, 2), y, {.temperature = 0.5}).expected_calibration_error() > 0.01);
}

TEST_CASE("reliability matches the definition in plain loops") {
  for (const auto& [rows, columns] : {std::pair{1, 1}, {7, 2}, {40, 3}, {700, 10}, {33, 101}, {5, 3000}})
    for (const double T : {0.5, 1.0, 2.5})
      for (const int bins : {1, 10, 15}) {
        const calibration::data data(rows, columns);
        const auto m = calibration::measure(data, bins, T);
        const auto d = diagram(data, {.bins = bins, .temperature = T});
        REQUIRE(d.bins.size() == static_cast<std::size_t>(bins));
        for (std::size_t b = 0; b < d.bins.size(); ++b) {
          CHECK(d.bins[b].count == m.count[b]);
          CHECK(d.bins[b].correct == m.correct[b]);
          CHECK(d.bins[b].confidence_sum == about{m.confidence[b]});
        }
        CHECK(d.expected_calibration_error() == about{m.ece});
        CHECK(d.maximum_calibration_error() == about{m.mce});
        CHECK(d.accuracy() == about{m.accuracy});
        CHECK(d.mean_confidence() == about{m.mean_confidence});
        CHECK(d.negative_log_likelihood() == about{m.loss});
        CHECK(d.brier_score() == about{m.brier});
      }
}

TEST_CASE("static_calibration_error matches the definition in plain loops") {
  for (const auto& [rows, columns] : {std::pair{1, 1}, {40, 3}, {300, 10}, {33, 101}, {6, 3000}, {2600, 101}})
    for (const int bins : {1, 4}) {
      if (rows * columns > 100000 && bins > 1) continue;
      const calibration::data d(rows, columns);
      const hone::matrix_view z{d.z.data(), d.rows, d.columns};
      const double expected = calibration::static_error(d, bins, 1.5);
      double one = 0;
      for (const int threads : {1, 2, 5}) {
        const double error = hone::static_calibration_error(hone::cpu(threads), z, hone::classes(d.y, {.ignore = -1}),
                                                            {.bins = bins, .temperature = 1.5});
        CHECK(error == about{expected});
        if (threads == 1) one = error;
        CHECK(error == one);
      }
    }
  const std::vector<float> z(8, 0.0f);  // two classes, 0.5 sure of each
  CHECK(hone::static_calibration_error(cpu, view(z, 2), std::vector<int>{0, 0, 0, 1}) == 0.25);
  CHECK(hone::static_calibration_error(cpu, view(z, 2), std::vector<int>{0, 1, 0, 1}) == 0);
  const std::vector<double> sure{800, 0, 800, 0};  // probabilities of exactly 1 and 0
  CHECK(hone::static_calibration_error(cpu, view(sure, 2), std::vector<int>{0, 0}) == 0);
  CHECK(hone::static_calibration_error(cpu, view(sure, 2), std::vector<int>{0, 1}) == 0.5);
}

TEST_CASE("reliability predicts the first of equal logits") {
  const std::vector<float> z{1, 4, 4, 4, 4, 1, 0, 0, 0};
  CHECK(hone::reliability(cpu, view(z, 3), std::vector<int>{1, 0, 0}).accuracy() == 1);
  CHECK(hone::reliability(cpu, view(z, 3), std::vector<int>{2, 1, 2}).accuracy() == 0);
}

TEST_CASE("bin_of puts an edge in the bin below it, for every number of bins") {
  for (const int bins : {3, 7, 15, 49, 100}) {
    const auto edges = hone::detail::bins_of_equal_width(bins);
    for (int k = 0; k < bins; ++k) {
      const auto at = static_cast<std::size_t>(k);
      CHECK(edges[at].lower == double(k) / bins);
      CHECK(edges[at].upper == double(k + 1) / bins);
      CHECK(hone::detail::bin_of(edges, edges[at].upper) == at);
      CHECK(hone::detail::bin_of(edges, std::nextafter(edges[at].lower, 1)) == at);
    }
    CHECK(hone::detail::bin_of(edges, 0) == 0);
  }
}

TEST_CASE("equal_mass bins hold equal numbers of rows") {
  const std::vector<double> confidences{0.9, 0.6, 0.7, 0.8, 0.55, 0.65, 0.75};  // 7 rows in 3 bins: 2, 2, 3
  const std::vector<int> y{0, 0, 1, 0, 1, 0, 0};
  const auto z = rows_of(confidences);
  const auto d = hone::reliability(cpu, view(z, 2), y, {.bins = 3, .equal_mass = true});
  CHECK(counts(d) == std::vector<hone::index>{2, 2, 3});
  CHECK(d.bins[0].lower == 0);
  CHECK(d.bins[0].upper == about{0.6});
  CHECK(d.bins[1].lower == d.bins[0].upper);
  CHECK(d.bins[1].upper == about{0.7});
  CHECK(d.bins[2].upper == 1);
  CHECK(d.bins[0].correct == 1);
  CHECK(d.bins[1].correct == 1);
  CHECK(d.bins[2].correct == 3);
  CHECK(d.expected_calibration_error() == about{(0.15 + 0.35 + 0.55) / 7});
  CHECK(d.accuracy() == about{5.0 / 7});

  SUBCASE("equal confidences share a bin") {
    const auto ties = rows_of({0.7, 0.7, 0.7, 0.7, 0.7, 0.9});
    const auto t = hone::reliability(cpu, view(ties, 2), std::vector<int>(6, 0), {.bins = 3, .equal_mass = true});
    CHECK(counts(t) == std::vector<hone::index>{5, 0, 1});
  }
  SUBCASE("fewer rows than bins leave bins empty") {
    const auto few = rows_of({0.7, 0.9});
    const auto t = hone::reliability(cpu, view(few, 2), std::vector<int>(2, 0), {.bins = 4, .equal_mass = true});
    CHECK(counts(t) == std::vector<hone::index>{0, 1, 0, 1});
    CHECK(t.expected_calibration_error() == about{0.2});
  }
  SUBCASE("ignored and undefined rows are not counted") {
    auto more = z;
    more.insert(more.end(), {not_a_number, 0, 3, 0});
    auto labels = y;
    labels.insert(labels.end(), {0, -5});
    const auto t =
        hone::reliability(cpu, view(more, 2), hone::classes(labels, {.ignore = -5}), {.bins = 3, .equal_mass = true});
    CHECK(counts(t) == counts(d));
    CHECK(t.undefined == 1);
  }
  SUBCASE("no rows give empty bins") {
    const auto t =
        hone::reliability(cpu, view(std::vector<float>(), 2), std::vector<int>(), {.bins = 3, .equal_mass = true});
    CHECK(counts(t) == std::vector<hone::index>{0, 0, 0});
    CHECK(t.bins[2].upper == 1);
  }
}

TEST_CASE("reliability of no rows, of ignored rows and of no classes is 0") {
  const auto none = hone::reliability(cpu, hone::matrix_view<float>(), std::vector<int>());
  CHECK(none.bins.size() == 15);
  const std::vector<float> z(6, 1.0f);
  const std::vector<int> y{7, 7};
  const auto ignored = hone::reliability(cpu, view(z, 3), hone::classes(y, {.ignore = 7}));
  const auto classless = hone::reliability(cpu, hone::matrix_view{z.data(), 2, 0}, hone::classes(y, {.ignore = 7}));
  for (const auto& d : {none, ignored, classless, hone::reliability_diagram()}) {
    CHECK(d.count() == 0);
    CHECK(d.accuracy() == 0);
    CHECK(d.mean_confidence() == 0);
    CHECK(d.expected_calibration_error() == 0);
    CHECK(d.maximum_calibration_error() == 0);
    CHECK(d.negative_log_likelihood() == 0);
    CHECK(d.brier_score() == 0);
  }
  CHECK(hone::static_calibration_error(cpu, hone::matrix_view<float>(), std::vector<int>()) == 0);
  CHECK(hone::static_calibration_error(cpu, view(z, 3), hone::classes(y, {.ignore = 7})) == 0);
  CHECK(hone::static_calibration_error(cpu, hone::matrix_view{z.data(), 2, 0}, hone::classes(y, {.ignore = 7})) == 0);
}

TEST_CASE("reliability counts rows without a softmax as undefined, and its scores are NaN") {
  const std::vector<double> z{1, not_a_number, 0, infinity, 0, 0, -infinity, -infinity, -infinity, 2, 0, 0};
  for (const int label : {0, 1}) {
    const std::vector<int> y{label, label, label, 0};
    const auto d = hone::reliability(cpu, view(z, 3), y);
    CHECK(d.undefined == 3);
    CHECK(d.count() == 4);
    CHECK(d.accuracy() == 0.25);
    CHECK(std::isnan(d.mean_confidence()));
    CHECK(std::isnan(d.expected_calibration_error()));
    CHECK(std::isnan(d.maximum_calibration_error()));
    CHECK(std::isnan(d.negative_log_likelihood()));
    CHECK(std::isnan(d.brier_score()));
    CHECK(std::isnan(hone::static_calibration_error(cpu, view(z, 3), y)));
    const auto alone = hone::reliability(cpu, hone::matrix_view{z.data() + 9, 1, 3}, std::vector<int>{0});
    CHECK(counts(d) == counts(alone));
    CHECK(d.loss_sum == alone.loss_sum);
  }
  const std::vector<int> y{-1, -1, -1, 0};  // whatever an ignored row holds
  const auto d = hone::reliability(cpu, view(z, 3), hone::classes(y, {.ignore = -1}));
  CHECK(d.undefined == 0);
  CHECK(d.count() == 1);
  CHECK(std::isfinite(d.expected_calibration_error()));
  CHECK(std::isfinite(hone::static_calibration_error(cpu, view(z, 3), hone::classes(y, {.ignore = -1}))));
}

TEST_CASE("reliability treats a logit of -inf as a probability of 0") {
  const std::vector<float> z{0, -std::numeric_limits<float>::infinity(), 0};
  const auto d = hone::reliability(cpu, view(z, 3), std::vector<int>{0});
  CHECK(d.mean_confidence() == 0.5);
  CHECK(d.brier_score() == 0.5);
  CHECK(d.negative_log_likelihood() == about{std::log(2)});
  const auto impossible = hone::reliability(cpu, view(z, 3), std::vector<int>{1});
  CHECK(impossible.negative_log_likelihood() == infinity);
  CHECK(impossible.brier_score() == 1.5);
  CHECK(impossible.expected_calibration_error() == 0.5);
}

TEST_CASE("the scores keep their accuracy for confidences near 1") {
  const std::vector<double> z{50, 0};
  const auto right = hone::reliability(cpu, view(z, 2), std::vector<int>{0});
  CHECK(right.negative_log_likelihood() == about{std::exp(-50)});
  CHECK(right.brier_score() == about{2 * std::exp(-100)});
  CHECK(hone::reliability(cpu, view(z, 2), std::vector<int>{1}).negative_log_likelihood() == about{50});
  const std::vector<double> far{1e300, -1e300};
  CHECK(hone::reliability(cpu, view(far, 2), std::vector<int>{0}).negative_log_likelihood() == 0);
}

TEST_CASE("reliability diagrams of batches add up to that of all rows") {
  const calibration::data data(300, 5);
  const auto whole = diagram(data);
  hone::reliability_diagram sum;
  for (const hone::index from : {0, 100, 250}) {
    const hone::index rows = from == 0 ? 100 : from == 100 ? 150 : 50;
    sum.add(hone::reliability(
        cpu, hone::matrix_view{data.z.data() + from * 5, rows, 5},
        hone::classes(std::span(data.y).subspan(std::size_t(from), std::size_t(rows)), {.ignore = -1})));
  }
  CHECK(counts(sum) == counts(whole));
  CHECK(sum.accuracy() == whole.accuracy());
  CHECK(sum.expected_calibration_error() == about{whole.expected_calibration_error()});
  CHECK(sum.negative_log_likelihood() == about{whole.negative_log_likelihood()});
  CHECK(sum.brier_score() == about{whole.brier_score()});

  const hone::reliability_diagram before = sum;
  sum.add({});
  CHECK(same(sum, before));
  CHECK(support::message([&] { sum.add(diagram(data, {.bins = 10})); }) ==
        "reliability_diagram: add of 10 bins to 15, edges must be the same");
  const auto mass = diagram(data, {.equal_mass = true});
  const std::string refused = "reliability_diagram: add of bins of equal mass, whose edges follow from their own rows";
  CHECK(support::message([&] { sum.add(mass); }) == refused);
  CHECK(same(sum, before));
  hone::reliability_diagram other;
  other.add(mass);
  CHECK(same(other, mass));
  CHECK(support::message([&] { other.add(before); }) == refused);

  const std::vector<double> hole{not_a_number, 0, 0, 0, 0};
  sum.add(hone::reliability(cpu, view(hole, 5), std::vector<int>{0}));
  CHECK(sum.undefined == 1);
  CHECK(std::isnan(sum.expected_calibration_error()));
}

TEST_CASE("reliability is bit-identical for every number of threads") {
  for (const auto& [rows, columns] : {std::pair{3001, 10}, {700, 100}, {3, 40000}, {1, 7}, {20000, 2}})
    for (const bool equal_mass : {false, true}) {
      const calibration::data data(rows, columns);
      const auto one = diagram(data, {.equal_mass = equal_mass}, hone::cpu(1));
      for (const int threads : {2, 3, 7})
        CHECK(same(diagram(data, {.equal_mass = equal_mass}, hone::cpu(threads)), one));
    }
}

TEST_CASE_TEMPLATE("reliability of other types matches double, and padding is not read", T, float, double, Eigen::half,
                   Eigen::bfloat16) {
  for (const int columns : {1, 3, 10, 37}) {
    const calibration::data data(60, columns);
    const hone::index stride = columns + 3;
    std::vector<T> z(static_cast<std::size_t>(60 * stride), static_cast<T>(std::numeric_limits<float>::quiet_NaN()));
    calibration::data rounded = data;
    for (hone::index i = 0; i < 60; ++i)
      for (hone::index k = 0; k < columns; ++k) {
        const auto x = static_cast<T>(static_cast<float>(data.logit(i, k)));
        z[static_cast<std::size_t>(i * stride + k)] = x;
        rounded.z[static_cast<std::size_t>(i * columns + k)] = static_cast<double>(x);
      }
    const hone::matrix_view padded{z.data(), 60, columns, stride};
    const auto labels = hone::classes(data.y, {.ignore = -1});
    CHECK(same(hone::reliability(cpu, padded, labels), diagram(rounded)));
    CHECK(hone::static_calibration_error(cpu, padded, labels) ==
          hone::static_calibration_error(cpu, hone::matrix_view{rounded.z.data(), 60, columns}, labels));
  }
}

TEST_CASE("reliability takes labels of any integer type, as classes or as a range") {
  const std::vector<float> z{2, 1, 0, 3};
  const std::vector<std::int64_t> wide{0, 1};
  const std::vector<unsigned char> narrow{0, 1};
  const auto d = hone::reliability(cpu, view(z, 2), hone::classes(wide));
  CHECK(d.accuracy() == 1);
  CHECK(same(hone::reliability(cpu, view(z, 2), narrow), d));
  CHECK(same(hone::reliability(cpu, view(z, 2), std::span(wide)), d));
}

TEST_CASE("reliability: invalid arguments throw with their values") {
  const std::vector<float> z(12, 1.0f);
  const std::vector<int> y{0, 2, 1, 0}, bad{0, 2, 3, 0}, few{0, 1};
  const auto of = [&](hone::reliability_options options) {
    return support::message([&] { hone::reliability(cpu, view(z, 3), y, options); });
  };
  CHECK(of({}).empty());
  CHECK(of({.bins = 0}) == "reliability: bins is 0, must be in [1, 1048576]");
  CHECK(of({.bins = 1048577}) == "reliability: bins is 1048577, must be in [1, 1048576]");
  CHECK(of({.bins = 1048576}).empty());
  CHECK(of({.temperature = 0}) == "reliability: temperature is 0, must be finite and positive, and its inverse finite");
  CHECK(of({.temperature = -2}) ==
        "reliability: temperature is -2, must be finite and positive, and its inverse finite");
  CHECK(of({.temperature = infinity}) ==
        "reliability: temperature is inf, must be finite and positive, and its inverse finite");
  CHECK(of({.temperature = 1e-310}) ==
        "reliability: temperature is 1e-310, must be finite and positive, and its inverse finite");
  CHECK(of({.temperature = not_a_number}).find("reliability: temperature is ") == 0);
  using floats = hone::matrix_view<float const>;
  const auto with = [&](floats v) { return support::message([&] { hone::reliability(cpu, v, y); }); };
  CHECK(with({z.data(), -4, 3}) == "reliability: logits is -4 x 3, sizes must not be negative");
  CHECK(with({z.data(), 4, 3, 2}) == "reliability: logits has a row_stride of 2, must be at least its 3 columns");
  CHECK(with({static_cast<float const*>(nullptr), 4, 3}) == "reliability: logits is 4 x 3 but has no data");
  CHECK(support::message([&] { hone::reliability(cpu, view(z, 3), few); }) == "reliability: 2 labels for 4 rows");
  CHECK(support::message([&] { hone::reliability(cpu, view(z, 3), bad); }) ==
        "reliability: the label of row 2 is 3, must be in [0, 3)");
  CHECK(support::message([&] { hone::reliability(cpu, view(z, 3), hone::classes(bad, {.ignore = -1})); }) ==
        "reliability: the label of row 2 is 3, must be in [0, 3)");
  CHECK(support::message([&] { hone::static_calibration_error(cpu, view(z, 3), few); }) ==
        "static_calibration_error: 2 labels for 4 rows");
  CHECK(support::message([&] { hone::static_calibration_error(cpu, view(z, 3), y, {.bins = -1}); }) ==
        "static_calibration_error: bins is -1, must be in [1, 1048576]");
  CHECK(support::message([&] { hone::static_calibration_error(cpu, view(z, 3), y, {.temperature = 0}); }) ==
        "static_calibration_error: temperature is 0, must be finite and positive, and its inverse finite");
}
