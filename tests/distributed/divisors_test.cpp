// SPDX-License-Identifier: MIT
// Divisors over ranks: the faults of others, errors, empty ranks, and sums that travel later.
#include <hone/hone.hpp>

#include "../support/numbers.hpp"
#include "../support/ranks.hpp"
#include "../support/same_bytes.hpp"
#include "rows_of_ranks.hpp"

#include <doctest/doctest.h>

#include <array>
#include <cmath>
#include <limits>
#include <string>
#include <vector>

namespace {

using hone::index;
using enum hone::rank_gradients;

bool same_bits(double a, double b) { return support::same_bytes(&a, &b, sizeof a); }

/// A model of one weight: row i has the logits (0, 0), which come from x[i] times the weight and nothing else. With
/// label 0 its loss is log 2 and its gradient -x/2, with label 1 x/2.
struct tokens {
  std::vector<double> x;
  std::vector<int> labels = std::vector<int>(x.size(), 0);
  std::vector<double> gradient = std::vector<double>(2 * x.size(), 123);

  hone::matrix_view<const double> logits() const {
    static const std::array<double, 64> zeros{};
    return {zeros.data(), rows(), 2};
  }
  hone::matrix_view<double> gradients() { return {gradient.data(), rows(), 2}; }
  index rows() const { return static_cast<index>(x.size()); }
  auto loss() const { return hone::cross_entropy(hone::classes(labels, {.ignore = -100})); }
  double of_weight() const {
    double sum = 0;
    for (std::size_t i = 0; i < x.size(); ++i) sum += gradient[2 * i] * x[i];
    return sum;
  }
};

/// What a trainer makes of the gradients of its ranks.
template <class C>
double trained(C const& ranks, double gradient, hone::rank_gradients how) {
  std::array<double, 1> sum{gradient};
  ranks.sum(std::span<double>(sum));
  return how == averaged ? sum[0] / ranks.size() : sum[0];
}

TEST_CASE("fault 19: token-normalised terms use the count of all ranks (gradient 4, not 14/3)") {
  for (const auto how : {averaged, summed})
    on_ranks(2, [how](auto const& ranks) {
      tokens mine{ranks.rank() == 0 ? std::vector<double>{-12} : std::vector<double>{-4, -6, -10}};
      hone::evaluate(hone::cpu(1), mine.loss(), mine.logits(), {.gradient = mine.gradients()},
                     hone::over_ranks(ranks, hone::mean, how));
      CHECK(trained(ranks, mine.of_weight(), how) == 4);
      hone::evaluate(hone::cpu(1), mine.loss(), mine.logits(), {.gradient = mine.gradients()}, hone::mean);
      CHECK(trained(ranks, mine.of_weight(), averaged) == doctest::Approx(14.0 / 3));
    });
}

TEST_CASE("fault 10: micro-batches of all ranks are no mean of means") {
  // Three micro-batches a rank, of 0 to 4 rows each: 8 rows in all.
  const std::vector<std::vector<double>> batches[] = {{{-2}, {-4, -6, -8}, {}}, {{}, {-10}, {-12, -14, -32}}};
  for (const auto how : {averaged, summed})
    on_ranks(2, [&](auto const& ranks) {
      hone::rank_accumulation rows;
      double unscaled = 0, by_share = 0, known = 0, of_means = 0;
      hone::exact_sum loss;
      const index mine = 4;
      const index total = hone::count_rows(std::vector<int>(std::size_t(mine), 0), -100, ranks);
      CHECK(total == 8);
      for (auto const& x : batches[ranks.rank()]) {
        tokens t{x};
        hone::evaluate(hone::cpu(1), t.loss(), t.logits(), {.gradient = t.gradients()}, hone::sum);
        unscaled += t.of_weight();
        rows.add(hone::count_rows(t.labels, -100));
        hone::evaluate(hone::cpu(1), t.loss(), t.logits(), {.gradient = t.gradients()}, hone::mean);
        by_share += t.of_weight() * hone::micro_batch_share(t.rows(), total, ranks, how);
        of_means += t.of_weight() / 3;
        hone::evaluate(hone::cpu(1), t.loss(), t.logits(), {.gradient = t.gradients()},
                       hone::over_ranks(ranks, hone::rank_divisors<1>{{8}}, how).into(loss));
        known += t.of_weight();
      }
      const double factor = rows.factor(ranks, how);
      CHECK(factor == (how == averaged ? 0.25 : 0.125));
      CHECK(rows.factor(ranks, how, 64) == 64 * factor);
      const double right = 88.0 / 2 / 8;
      CHECK(trained(ranks, unscaled * factor, how) == right);
      CHECK(trained(ranks, by_share, how) == doctest::Approx(right).epsilon(1e-15));
      CHECK(trained(ranks, known, how) == right);
      CHECK(trained(ranks, of_means, how) != doctest::Approx(right));
      ranks.sum(loss.words());
      CHECK(loss.value() == doctest::Approx(std::log(2.0)).epsilon(1e-15));
    });
}

TEST_CASE("fault 11: the value over ranks is the sum of losses over the sum of counts, no mean of means") {
  on_ranks(2, [](auto const& ranks) {
    // Losses log 2 on rank 0, and three times 1000 on rank 1, of whose rows one is ignored.
    const std::vector<double> z =
        ranks.rank() == 0 ? std::vector<double>{0, 0} : std::vector<double>{0, 1000, 0, 1000, 0, 1000, 5, 5};
    const std::vector<int> labels = ranks.rank() == 0 ? std::vector<int>{1} : std::vector<int>{0, 0, 0, -100};
    const auto rows = static_cast<index>(labels.size());
    double output = 0;
    const double value = hone::evaluate(hone::cpu(1), hone::cross_entropy(hone::classes(labels, {.ignore = -100})),
                                        hone::matrix_view{z.data(), rows, 2}, {.value = &output},
                                        hone::over_ranks(ranks, hone::mean, averaged));
    CHECK(value == (3000 + std::log(2.0)) / 4);
    CHECK(output == value);  // not times W, and not this rank's part
  });
}

/// One row of a mesh of 2 x 2 ranks as a communicator, as MPI_Comm_split makes it. All four call it.
template <class C>
class data_ranks {
 public:
  explicit data_ranks(C const& all) : all_(&all) {}

  int rank() const { return all_->rank() % 2; }
  int size() const { return 2; }
  void sum(std::span<std::int64_t> x) const {
    combine(x, [this](auto both) { all_->sum(both); });
  }
  void sum(std::span<double> x) const {
    combine(x, [this](auto both) { all_->sum(both); });
  }
  void max(std::span<double> x) const {
    combine(x, [this](auto both) { all_->max(both); });
  }
  void broadcast(std::span<std::byte>, int) const {}
  void barrier() const { all_->barrier(); }

 private:
  template <class T, class Verb>
  void combine(std::span<T> x, Verb const& verb) const {
    std::vector<T> both(2 * x.size(), T(0));
    const std::size_t at = all_->rank() / 2 == 0 ? 0 : x.size();
    std::copy(x.begin(), x.end(), both.begin() + std::ptrdiff_t(at));
    verb(std::span<T>(both));
    std::copy_n(both.begin() + std::ptrdiff_t(at), x.size(), x.begin());
  }

  C const* all_;
};

TEST_CASE("fault 12: the gradient is multiplied by the number of data-parallel ranks (2 of a mesh of 2 x 2, not 4)") {
  on_ranks(4, [](auto const& all) {
    const data_ranks ranks(all);
    static_assert(hone::communicator<std::remove_cvref_t<decltype(ranks)>>);
    tokens mine{ranks.rank() == 0 ? std::vector<double>{-12} : std::vector<double>{-4, -6, -10}};
    hone::evaluate(hone::cpu(1), mine.loss(), mine.logits(), {.gradient = mine.gradients()},
                   hone::over_ranks(ranks, hone::mean, averaged));
    CHECK(mine.gradient[0] == -0.5 * 2 / 4);
    CHECK(trained(ranks, mine.of_weight(), averaged) == 4);
    hone::rank_accumulation rows;
    rows.add(mine.rows());
    CHECK(rows.factor(ranks, averaged) == 0.5);
  });
}

#ifndef HONE_TEST_RANKS
TEST_CASE("fault 12: two groups at once, each with its own number of ranks") {
  hone::run_ranks(2, [](auto const& groups) {
    const int n = groups.rank() == 0 ? 2 : 3;
    hone::run_ranks(n, [n](auto const& ranks) {
      tokens mine{std::vector<double>(std::size_t(ranks.rank() + 1), 1.0)};
      hone::evaluate(hone::cpu(1), mine.loss(), mine.logits(), {.gradient = mine.gradients()},
                     hone::over_ranks(ranks, hone::mean, averaged));
      CHECK(mine.gradient[0] == doctest::Approx(-0.5 * n / (0.5 * n * (n + 1))).epsilon(1e-15));
    });
  });
}
#endif

TEST_CASE("fault 13: each term of a sum keeps its own divisor") {
  for (const auto how : {averaged, summed})
    on_ranks(2, [how](auto const& ranks) {
      tokens mine{{1, 1}};
      const std::vector<int> others = ranks.rank() == 0 ? std::vector<int>{0, -100} : std::vector<int>{1, 1};
      const auto objective = mine.loss() + 0.5 * hone::cross_entropy(hone::classes(others, {.ignore = -100}));
      const double times = how == averaged ? 2 : 1;
      const auto all = hone::divisors(hone::cpu(1), objective, mine.logits(), ranks);
      CHECK(all.of_term == std::array<double, 2>{4, 3});
      const double value = hone::evaluate(hone::cpu(1), objective, mine.logits(), {.gradient = mine.gradients()},
                                          hone::over_ranks(ranks, hone::mean, how));
      CHECK(value == doctest::Approx(1.5 * std::log(2.0)).epsilon(1e-15));
      const double first = -0.5 * times / 4, other = 0.25 * times / 3;
      if (ranks.rank() == 0) {
        CHECK(mine.gradient[0] == doctest::Approx(first - other).epsilon(1e-15));
        CHECK(mine.gradient[2] == doctest::Approx(first).epsilon(1e-15));
      } else {
        CHECK(mine.gradient[0] == doctest::Approx(first + other).epsilon(1e-15));
        CHECK(mine.gradient[2] == doctest::Approx(first + other).epsilon(1e-15));
      }
    });
}

TEST_CASE("fault 14: the value is for reading: what becomes of it changes no gradient") {
  on_ranks(3, [](auto const& ranks) {
    tokens mine{std::vector<double>(std::size_t(ranks.rank()), 1.0)};  // none on rank 0
    const hone::cpu cpu(1);
    std::vector<std::vector<double>> gradients;
    gradients.reserve(4);
    const auto keep = [&](double value) {
      gradients.push_back(mine.gradient);
      return value;
    };
    const auto how = hone::over_ranks(ranks, hone::mean, averaged);
    double output = 0;
    hone::exact_sum later;
    const double value = keep(hone::evaluate(cpu, mine.loss(), mine.logits(), {.gradient = mine.gradients()}, how));
    keep(hone::evaluate(cpu, mine.loss(), mine.logits(), {.gradient = mine.gradients(), .value = &output}, how));
    const double part =
        keep(hone::evaluate(cpu, mine.loss(), mine.logits(), {.gradient = mine.gradients()}, how.into(later)));
    const auto divisors = hone::divisors(cpu, mine.loss(), mine.logits(), ranks);
    const auto early = hone::over_ranks(ranks, divisors, averaged);
    CHECK(
        same_bits(keep(hone::evaluate(cpu, mine.loss(), mine.logits(), {.gradient = mine.gradients()}, early)), value));
    for (auto const& g : gradients) CHECK(g == gradients[0]);
    for (const double g : mine.gradient) CHECK(std::abs(g) == 0.5 * (3 * (1.0 / 3)));  // W / Σ, once
    CHECK(same_bits(output, value));
    CHECK(part == doctest::Approx(ranks.rank() / 3.0 * std::log(2.0)).epsilon(1e-15));
    ranks.sum(later.words());
    CHECK(same_bits(later.value(), value));
    CHECK(same_bits(hone::evaluate(cpu, mine.loss(), mine.logits(), early), value));  // without outputs
    CHECK(same_bits(hone::evaluate(cpu, mine.loss(), mine.logits(), how), value));
  });
}

TEST_CASE("fault 15: smoothing has the divisor of all micro-batches, at 8 of them on any number of ranks") {
  const index rows = index(8) * 5, columns = 7;
  const std::vector<double> z = support::noise(0, rows * columns);
  std::vector<int> labels = support::labels(rows, columns);
  for (std::size_t i = 0; i < labels.size(); i += 3) labels[i] = -100;
  const auto loss = [&](index from, index n) {
    const auto part = std::span(labels).subspan(std::size_t(from), std::size_t(n));
    return hone::cross_entropy(hone::smooth(hone::classes(part, {.ignore = -100}), 0.3));
  };
  std::vector<double> whole_gradient(z.size());
  const double whole = hone::evaluate(hone::cpu(1), loss(0, rows), hone::matrix_view{z.data(), rows, columns},
                                      {.gradient = {whole_gradient.data(), rows, columns}},
                                      hone::over_ranks(hone::self(), hone::mean, summed));
  for (const int n : {1, 2, 4, 8})
    on_ranks(n, [&](auto const& ranks) {
      const index total = hone::count_rows(labels, -100);
      hone::exact_sum value;
      bool same = true;
      for (index batch = ranks.rank(); batch < 8; batch += n) {
        std::vector<double> gradient(std::size_t(5 * columns));
        double const* const at = z.data() + batch * 5 * columns;
        hone::evaluate(hone::cpu(1), loss(batch * 5, 5), hone::matrix_view{at, 5, columns},
                       {.gradient = {gradient.data(), 5, columns}},
                       hone::over_ranks(ranks, hone::rank_divisors<1>{{double(total)}}, summed).into(value));
        same = same && support::same_bytes(gradient.data(), whole_gradient.data() + batch * 5 * columns,
                                           gradient.size() * sizeof(double));
      }
      CHECK(same);
      ranks.sum(value.words());
      CHECK(same_bits(value.value(), whole));
    });
}

/// A detector's confidence: two anchors a rank, both with logit 0 and target 0: each has loss log 2 and gradient 1/2.
template <class C>
std::array<double, 3> confidence(C const& ranks, int positives, hone::rank_gradients how) {
  const std::array<double, 2> z{}, targets{};
  std::array<double, 3> result{};
  result[2] = hone::evaluate(hone::cpu(1), hone::binary_cross_entropy(hone::matrix_view{targets.data(), 2, 1}),
                             hone::matrix_view{z.data(), 2, 1}, {.gradient = {result.data(), 2, 1}},
                             hone::over_ranks(ranks, hone::mean_over(positives), how).at_least(1));
  return result;
}

TEST_CASE("fault 16: positives: the sum of all ranks, at least 1 after it, and every rank takes part") {
  for (const int n : numbers_of_ranks)
    on_ranks(n, [n](auto const& ranks) {
      const double all = 2 * n * std::log(2.0);
      // The last rank has 3 positives, all others have none.
      auto r = confidence(ranks, ranks.rank() == n - 1 ? 3 : 0, averaged);
      CHECK(r[0] == doctest::Approx(0.5 * n / 3).epsilon(1e-15));
      CHECK(r[2] == doctest::Approx(all / 3).epsilon(1e-15));
      // One positive in all: the divisor is 1, and not max(1 / W, 1) after a division.
      r = confidence(ranks, ranks.rank() == 0 ? 1 : 0, averaged);
      CHECK(r[0] == 0.5 * n);
      CHECK(r[2] == doctest::Approx(all).epsilon(1e-15));
      CHECK(confidence(ranks, ranks.rank() == 0 ? 1 : 0, summed)[0] == 0.5);
      // None anywhere: the divisor is 1, and not 1 on every rank.
      r = confidence(ranks, 0, summed);
      CHECK(r[0] == 0.5);
      CHECK(r[2] == doctest::Approx(all).epsilon(1e-15));
    });
}

TEST_CASE("nothing to divide by: the value and the gradient are 0 for any logits") {
  on_ranks(2, [](auto const& ranks) {
    const double infinity = std::numeric_limits<double>::infinity();
    const std::array<double, 4> z{infinity, 1, 2, 3};
    const std::array<int, 2> ignored{-100, -100}, labels{0, 1};
    std::array<double, 4> g{7, 7, 7, 7};
    std::array<double, 2> unreduced{7, 7};
    const hone::matrix_view logits{z.data(), 2, 2};
    const auto check = [&](auto const& objective, hone::reduction how) {
      g.fill(7);
      double output = 7;
      CHECK(hone::evaluate(hone::cpu(1), objective, logits,
                           {.gradient = {g.data(), 2, 2}, .unreduced = unreduced.data(), .value = &output},
                           hone::over_ranks(ranks, how, averaged)) == 0);
      CHECK(g == std::array<double, 4>{});
      CHECK(output == 0);
    };
    check(hone::cross_entropy(hone::classes(ignored, {.ignore = -100})), hone::mean);
    CHECK(unreduced == std::array<double, 2>{0, 0});
    check(hone::cross_entropy(hone::classes(labels)), hone::mean_over(0));
    CHECK(unreduced[1] == doctest::Approx(std::log1p(std::exp(-1.0))));
  });
}

TEST_CASE("a rank without rows, and without a column, takes part") {
  on_ranks(3, [](auto const& ranks) {
    const std::array<double, 4> z{0, 0, 0, 0};
    const std::array<int, 2> labels{0, 1};
    const bool mine = ranks.rank() == 1;
    const auto view =
        mine ? hone::matrix_view<const double>{z.data(), 2, 2} : hone::matrix_view<const double>{nullptr, 0, 0};
    const auto objective = hone::cross_entropy(hone::classes(std::span(labels).first(mine ? 2 : 0)));
    for (const auto how : {hone::mean, hone::batch_mean, hone::mean_over(mine ? 2 : 0)})
      CHECK(hone::evaluate(hone::cpu(1), objective, view, hone::over_ranks(ranks, how, averaged)) == std::log(2.0));
    CHECK(hone::evaluate(hone::cpu(1), objective, view, hone::over_ranks(ranks, hone::sum, averaged)) ==
          2 * std::log(2.0));
  });
}

TEST_CASE("NaN on one rank is NaN on all, an infinite loss is infinite on all") {
  on_ranks(4, [](auto const& ranks) {
    const double nan = std::numeric_limits<double>::quiet_NaN(), infinity = std::numeric_limits<double>::infinity();
    std::array<double, 4> z{0, 1, 2, 3};
    const std::array<int, 2> labels{0, 1};
    const auto value = [&] {
      return hone::evaluate(hone::cpu(1), hone::cross_entropy(hone::classes(labels)), hone::matrix_view{z.data(), 2, 2},
                            hone::over_ranks(ranks, hone::mean, averaged));
    };
    if (ranks.rank() == 2) z[0] = -infinity;
    CHECK(value() == infinity);
    if (ranks.rank() == 3) z[0] = nan;
    CHECK(std::isnan(value()));
  });
}

TEST_CASE("a bad argument on one rank is an error on all, and nothing is written") {
  for (const int n : {1, 2, 4})
    on_ranks(n, [n](auto const& ranks) {
      const std::array<float, 4> z{0, 1, 2, 3};
      std::array<int, 2> labels{0, 1};
      std::array<float, 4> g{7, 7, 7, 7};
      float output = 7;
      const bool wrong = ranks.rank() == n - 1;
      index rows_of_gradient = 2;
      const auto call = [&](auto const& how) {
        return hone::evaluate(hone::cpu(1), hone::cross_entropy(hone::classes(labels)),
                              hone::matrix_view{z.data(), 2, 2},
                              {.gradient = {g.data(), rows_of_gradient, 2}, .value = &output}, how);
      };
      const auto how = hone::over_ranks(ranks, hone::mean, averaged);
      const std::string of_others = "evaluate: rank " + std::to_string(n - 1) + " of " + std::to_string(n) + " failed";
      const auto refuse = [&](auto const& body, const char* words) {
        if (wrong)
          CHECK_THROWS_WITH_AS(body(), words, hone::invalid_argument);
        else
          CHECK_THROWS_WITH_AS(body(), of_others.c_str(), hone::rank_error);
        CHECK(g == std::array<float, 4>{7, 7, 7, 7});
        CHECK(output == 7);
      };
      if (wrong) labels[1] = 99;
      refuse([&] { call(how); }, "evaluate: the label of row 1 is 99, must be in [0, 2)");
      labels[1] = 1;
      if (wrong) rows_of_gradient = 1;
      refuse([&] { call(how); }, "evaluate: gradient is 1 x 2, prediction is 2 x 2");
      rows_of_gradient = 2;
      hone::exact_sum later;  // a call with into on one rank only, or on all
      refuse([&] { call(wrong ? how.into(later) : how); },
             "evaluate: outputs.value must be absent where the value is summed later (into)");
      CHECK(later.value() == 0);
      CHECK(call(how) > 0);  // the group is as it was
      if (wrong) labels[1] = 99;
      const std::string of_divisors =
          "divisors: rank " + std::to_string(n - 1) + " of " + std::to_string(n) + " failed";
      const auto divide = [&] {
        hone::divisors(hone::cpu(1), hone::cross_entropy(hone::classes(labels)), hone::matrix_view{z.data(), 2, 2},
                       ranks);
      };
      if (wrong)
        CHECK_THROWS_AS(divide(), hone::invalid_argument);
      else
        CHECK_THROWS_WITH_AS(divide(), of_divisors.c_str(), hone::rank_error);
      // With divisors that were summed before, the error still reaches all.
      const auto early = hone::over_ranks(ranks, hone::rank_divisors<1>{{double(2 * n)}}, averaged);
      if (wrong)
        CHECK_THROWS_AS(call(early), hone::invalid_argument);
      else
        CHECK_THROWS_WITH_AS(call(early), of_others.c_str(), hone::rank_error);
    });
}

TEST_CASE("divisors over ranks: counts and exact sums of weights, for every mean") {
  std::vector<int> labels = support::labels(40, 3);
  labels[5] = labels[17] = -100;
  const std::vector<double> weights = {0.1, 0.7, 1e-3};
  const std::vector<float> z(120);
  hone::exact_sum exact;
  for (const int y : labels)
    if (y >= 0) exact.add(weights[std::size_t(y)]);
  for (const int n : numbers_of_ranks)
    for (int way = 0; way < ways_to_cut; ++way)
      on_ranks(n, [&](auto const& ranks) {
        const some_rows r = rows_of_rank(way, ranks.rank(), n, 40);
        const auto target =
            hone::classes(std::span(labels).subspan(std::size_t(r.from), std::size_t(r.count)), {.ignore = -100});
        const auto objective = hone::cross_entropy(target) + hone::cross_entropy(hone::weigh_classes(target, weights));
        const hone::matrix_view logits{z.data() + r.from * 3, r.count, 3};
        const auto of = [&](hone::reduction how) {
          return hone::divisors(hone::cpu(1), objective, logits, ranks, how).of_term;
        };
        CHECK(of(hone::mean) == std::array<double, 2>{38, exact.value()});
        CHECK(of(hone::element_mean) == std::array<double, 2>{114, 3 * exact.value()});
        CHECK(of(hone::sum) == std::array<double, 2>{1, 1});
        CHECK(of(hone::mean_over(double(r.count) / 4)) == std::array<double, 2>{10, 10});
      });
}

TEST_CASE("accumulation over ranks: errors, no rows, and the same bits for any cut") {
  CHECK_THROWS_WITH_AS(hone::rank_accumulation().add(-1),
                       "rank_accumulation: counted is -1, must be finite and not negative", hone::invalid_argument);
  CHECK_THROWS_WITH_AS(hone::over_ranks(hone::self(), hone::sum, averaged).at_least(1),
                       "at_least: hone::sum has no divisor", hone::invalid_argument);
  CHECK_THROWS_WITH_AS(hone::over_ranks(hone::self(), hone::mean, averaged).at_least(-1),
                       "at_least: least is -1, must be finite and not negative", hone::invalid_argument);
  for (const int n : numbers_of_ranks)
    on_ranks(n, [&](auto const& ranks) {
      hone::rank_accumulation rows, none;
      for (int i = ranks.rank(); i < 30; i += n) rows.add(0.1 + i * 0.37);
      hone::exact_sum all;
      for (int i = 0; i < 30; ++i) all.add(0.1 + i * 0.37);
      CHECK(same_bits(rows.factor(ranks, summed), 1 / all.value()));
      CHECK(same_bits(rows.factor(ranks, averaged), n * (1 / all.value())));
      CHECK(none.factor(ranks, averaged) == 0);
      const double wrong = ranks.rank() == 0 ? 0 : 1;
      if (wrong == 0)
        CHECK_THROWS_WITH_AS(rows.factor(ranks, summed, wrong),
                             "rank_accumulation: divided_by is 0, must be finite and above 0", hone::invalid_argument);
      else
        CHECK_THROWS_AS(rows.factor(ranks, summed, wrong), hone::rank_error);
    });
}

}  // namespace
