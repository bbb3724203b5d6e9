// SPDX-License-Identifier: MIT
#include <hone/cpu/distributed/calibration.hpp>

#include "../support/message.hpp"
#include "../support/ranks.hpp"
#include "../support/same_bytes.hpp"

#include <doctest/doctest.h>

#include <random>
#include <string>
#include <vector>

namespace {

using hone::index;
using support::error_of;

struct labelled {
  static constexpr index rows = 500, classes = 7;
  std::vector<float> logits;
  std::vector<int> labels;

  labelled() : logits(rows * classes), labels(rows) {
    std::mt19937 random(1);
    std::normal_distribution<float> normal(0, 3);
    for (float& z : logits) z = normal(random);
    for (int& y : labels) y = static_cast<int>(random() % 8) - 1;  // -1 is ignored
    for (index i = 0; i < rows; i += 2)
      if (labels[std::size_t(i)] >= 0) logits[std::size_t(i * classes + labels[std::size_t(i)])] += 4;
  }
  // The rows of rank r of n; of three and more ranks, the first has none.
  auto part(int r, int n) const {
    const auto begin = [&](index k) { return n > 2 && k < 2 ? 0 : rows * k * k / (index(n) * n); };
    const index first = begin(r), count = begin(r + 1) - first;
    return std::pair(hone::matrix_view<const float>{logits.data() + first * classes, count, classes},
                     hone::classes(std::span(labels).subspan(std::size_t(first), std::size_t(count)), {.ignore = -1}));
  }
};

bool same(hone::reliability_diagram const& a, hone::reliability_diagram const& b) {
  bool all = a.bins.size() == b.bins.size() && a.undefined == b.undefined && a.loss_sum == b.loss_sum &&
             a.brier_sum == b.brier_sum;
  for (std::size_t k = 0; all && k < a.bins.size(); ++k)
    all = a.bins[k].lower == b.bins[k].lower && a.bins[k].upper == b.bins[k].upper &&
          a.bins[k].count == b.bins[k].count && a.bins[k].correct == b.bins[k].correct &&
          a.bins[k].confidence_sum == b.bins[k].confidence_sum;
  return all;
}
TEST_CASE("reliability over ranks has the same bits for any number of ranks, and is that of one process") {
  const labelled all;
  const auto [z, y] = all.part(0, 1);
  const hone::reliability_diagram alone = hone::reliability(hone::cpu(1), hone::self(), z, y, {.bins = 100}),
                                  plain = hone::reliability(hone::cpu(1), z, y, {.bins = 100});
  CHECK(alone.count() == plain.count());
  CHECK(alone.expected_calibration_error() == doctest::Approx(plain.expected_calibration_error()).epsilon(1e-13));
  CHECK(alone.brier_score() == doctest::Approx(plain.brier_score()).epsilon(1e-13));
  for (const int n : numbers_of_ranks)
    on_ranks(n, [&](auto const& ranks) {
      const auto [mine, labels] = all.part(ranks.rank(), n);
      CHECK(same(hone::reliability(hone::cpu(2), ranks, mine, labels, {.bins = 100}), alone));

      hone::reliability_diagram merged;
      if (labels.size > 0) merged = hone::reliability(hone::cpu(1), mine, labels, {.bins = 100});
      hone::merge(ranks, merged);  // a rank without rows has no bins
      CHECK(merged.count() == alone.count());
      CHECK(merged.accuracy() == alone.accuracy());
      CHECK(merged.bins[99].upper == 1);
      CHECK(merged.expected_calibration_error() == doctest::Approx(alone.expected_calibration_error()).epsilon(1e-13));
    });
}

TEST_CASE("the temperature of the rows of all ranks has the same bits for any number of ranks") {
  const labelled all;
  const auto [z, y] = all.part(0, 1);
  const hone::temperature_fit alone = hone::fit_temperature(hone::cpu(1), hone::self(), z, y),
                              plain = hone::fit_temperature(hone::cpu(1), z, y);
  CHECK(alone.converged);
  CHECK(alone.temperature == doctest::Approx(plain.temperature).epsilon(1e-12));
  for (const int n : numbers_of_ranks)
    on_ranks(n, [&](auto const& ranks) {
      const auto [mine, labels] = all.part(ranks.rank(), n);
      const hone::temperature_fit fit = hone::fit_temperature(hone::cpu(2), ranks, mine, labels);
      CHECK(fit.temperature == alone.temperature);
      CHECK(fit.before == alone.before);
      CHECK(fit.after == alone.after);
      CHECK(fit.iterations == alone.iterations);
    });
}

TEST_CASE("calibration over ranks: no rows at all, undefined rows, and errors of one rank") {
  on_ranks(2, [](auto const& ranks) {
    const hone::cpu cpu(1);
    const bool second = ranks.rank() == 1;
    const std::vector<float> z{1, 2, std::numeric_limits<float>::quiet_NaN(), 0};
    const std::vector<int> y{1, 1}, none, bad{1, 2};
    const hone::matrix_view<const float> two{z.data(), 2, 2}, nothing{z.data(), 0, 2};
    CHECK(hone::reliability(cpu, ranks, nothing, none).count() == 0);
    CHECK(hone::fit_temperature(cpu, ranks, nothing, none).temperature == 1);
    const hone::reliability_diagram d =
        second ? hone::reliability(cpu, ranks, two, y) : hone::reliability(cpu, ranks, nothing, none);
    CHECK(d.count() == 2);
    CHECK(d.undefined == 1);
    CHECK(error_of([&] { hone::reliability(cpu, ranks, two, second ? bad : y); }).find("label") + 1 ==
          (second ? error_of([&] { hone::reliability(cpu, two, bad); }).find("label") + 1 : 0));
    CHECK(error_of([&] { hone::reliability(cpu, ranks, two, y, {.bins = second ? 3 : 4}); }) ==
          "reliability: bins or temperature differ between ranks");
    CHECK(error_of([&] { hone::reliability(cpu, ranks, two, y, {.equal_mass = second}); }) ==
          (second ? "reliability: bins of equal mass need the rows of all ranks at one place"
                  : "reliability: rank 1 of 2 failed"));
    CHECK(error_of([&] { hone::fit_temperature(cpu, ranks, two, y, {.most = second ? 10.0 : 20.0}); }) ==
          "fit_temperature: least or most differ between ranks");
    hone::reliability_diagram own = hone::reliability(cpu, two, y, {.bins = second ? 5 : 4});
    CHECK(error_of([&] { hone::merge(ranks, own); }) ==
          (second ? "merge: rank 0 of 2 failed" : "merge: 4 bins, rank 1 has 5, edges must be the same"));
    CHECK(own.count() == 2);
  });
}

}  // namespace
