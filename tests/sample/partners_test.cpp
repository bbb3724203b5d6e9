// SPDX-License-Identifier: MIT
// Partners of a draw: what holds for every draw, and that all draws are equally likely.
#include <hone/sample/partners.hpp>

#include <doctest/doctest.h>

#include <cmath>
#include <set>
#include <vector>

namespace {

using hone::index, hone::partners;
using hone::detail::partner_order, hone::detail::random_bits;

std::vector<index> drawn(index n, partners how, hone::integer step) {
  const partner_order order(random_bits(5, step), n, how);
  std::vector<index> result(static_cast<std::size_t>(n));
  for (index i = 0; i < n; ++i) result[std::size_t(i)] = order.partner_of(i);
  return result;
}

}  // namespace

TEST_CASE("partners are a permutation: others leaves no row alone, and pairs are mutual") {
  for (const index n : {1, 2, 3, 4, 5, 7, 16, 17, 255, 1000}) {
    CAPTURE(n);
    for (const auto how : {partners::others, partners::any, partners::pairs}) {
      const std::vector<index> partner = drawn(n, how, 3);
      const std::set<index> met(partner.begin(), partner.end());
      CHECK(index(met.size()) == n);
      CHECK(*met.begin() == 0);
      CHECK(*met.rbegin() == n - 1);
      index alone = 0;
      bool mutual = true;
      for (index i = 0; i < n; ++i) {
        alone += partner[std::size_t(i)] == i;
        mutual = mutual && partner[std::size_t(partner[std::size_t(i)])] == i;
      }
      if (how == partners::others) CHECK(alone == (n == 1 ? 1 : 0));
      if (how == partners::pairs) {
        CHECK(mutual);
        CHECK(alone == n % 2);
      }
    }
    const std::vector<index> partner = drawn(n, partners::others, 3);
    index length = 1;
    for (index i = partner[0]; i != 0; i = partner[std::size_t(i)]) ++length;
    CHECK(length == n);  // one circle
  }
}

TEST_CASE("partner_order leads from each row to its partner") {
  for (const index n : {1, 2, 9, 100}) {
    const partner_order circle(random_bits(1, 2), n, partners::others), pairs(random_bits(1, 2), n, partners::pairs);
    for (index k = 0; k < n; ++k) {
      CHECK(circle.partner_of(circle.row_at(k)) == circle.row_at((k + 1) % n));
      CHECK(pairs.partner_of(pairs.row_at(k)) == pairs.row_at((k ^ 1) < n ? k ^ 1 : k));
    }
  }
}

// Pearson's χ² of a cell per (row, partner), over many steps, against five deviations beyond its mean. What a pair adds
// to a cell it adds to another: twice the variance.
TEST_CASE("every partner is equally likely") {
  for (const index n : {2, 3, 4, 5, 6, 8, 13}) {
    for (const auto how : {partners::others, partners::any, partners::pairs}) {
      CAPTURE(n);
      CAPTURE(int(how));
      constexpr int steps = 20000;
      std::vector<double> count(std::size_t(n * n));
      for (int step = 0; step < steps; ++step) {
        const auto partner = drawn(n, how, step);
        for (index i = 0; i < n; ++i) ++count[std::size_t(i * n + partner[std::size_t(i)])];
      }
      const bool self = how == partners::any || (how == partners::pairs && n % 2 == 1);
      const double expected = double(steps) / double(self ? n : n - 1);
      double chi = 0;
      for (index i = 0; i < n; ++i)
        for (index j = 0; j < n; ++j) {
          const double c = count[std::size_t(i * n + j)];
          if (i == j && !self) CHECK(c == 0);
          if (i != j || self) chi += (c - expected) * (c - expected) / expected;
        }
      const double freedom = double((n - 1) * (n - 1));
      CHECK(chi < freedom + 5 * std::sqrt(4 * freedom) + 5);
    }
  }
}

TEST_CASE("every permutation of four rows is drawn, all equally often") {
  std::vector<int> count(256);
  for (int step = 0; step < 24000; ++step) {
    const auto p = drawn(4, partners::any, step);
    ++count[std::size_t(p[0] * 64 + p[1] * 16 + p[2] * 4 + p[3])];
  }
  int different = 0;
  for (const int c : count) {
    different += c > 0;
    if (c > 0) CHECK(std::abs(c - 1000) < 160);  // five deviations
  }
  CHECK(different == 24);
}
