// SPDX-License-Identifier: MIT
#include "class_parallel_values.hpp"

#include <hone/cpu/distributed/class_parallel.hpp>
#include <hone/hone.hpp>

#include "../support/numbers.hpp"
#include "../support/ranks.hpp"

#include <doctest/doctest.h>

#include <algorithm>
#include <array>
#include <cmath>
#include <limits>
#include <string>
#include <vector>

namespace {

namespace values = class_parallel_values;

constexpr double infinity = std::numeric_limits<double>::infinity();

/// The classes of a rank.
struct piece {
  hone::index first, columns;
};

/// Cuts K classes over ranks unevenly: later ranks have more; the first ones may have none.
piece uneven(hone::index K, int ranks, int rank) {
  const auto at = [&](hone::index r) { return K * r * r / (hone::index(ranks) * ranks); };
  return {at(rank), at(rank + 1) - at(rank)};
}
piece even(hone::index K, int ranks, int rank) {
  const auto at = [&](hone::index r) { return K * r / ranks; };
  return {at(rank), at(rank + 1) - at(rank)};
}

template <class T>
hone::matrix_view<T> columns_of(hone::matrix_view<T> whole, piece p) {
  return {whole.data ? whole.data + p.first : nullptr, whole.rows, p.columns, whole.row_stride};
}

/// Numbers of ranks that must be the same bits on each.
template <class Ranks>
void check_same_on_all(Ranks const& ranks, std::vector<double> const& mine) {
  std::vector<double> all = mine, negative;
  for (const double x : mine) negative.push_back(-x);  // NOLINT(performance-inefficient-vector-operation)
  ranks.max(all), ranks.max(negative);
  for (std::size_t i = 0; i < mine.size(); ++i) {
    CHECK(all[i] == mine[i]);
    CHECK(negative[i] == -mine[i]);
  }
}

/// The difference in units of the last place of the accumulator, at the size `scale` or of the number itself.
template <class A>
double ulps(double x, double expected, double scale) {
  if (x == expected || (std::isnan(x) && std::isnan(expected))) return 0;
  const double unit = static_cast<double>(std::numeric_limits<A>::epsilon()) * std::max(std::abs(expected), scale);
  return std::abs(x - expected) / unit;
}

template <class T>
double as_double(T x) {
  return static_cast<double>(static_cast<hone::accumulator_t<T>>(x));
}

/// Compares evaluate on every rank's classes with evaluate on all, for all numbers of ranks and two cuts. make(view)
/// returns the objective, where view(matrix) are a rank's columns of a whole matrix. Budgets: `ulp` units of the last
/// place of the largest gradient, of 1 for losses.
template <class T, class Make>
void compare(const char* name, std::vector<T> const& z, hone::index rows, hone::index K, Make const& make,
             hone::reduction how = hone::mean, double ulp = 8) {
  using A = hone::accumulator_t<T>;
  const auto size = static_cast<std::size_t>(rows * K), n = static_cast<std::size_t>(rows);
  hone::cpu cpu{2};
  std::vector<T> gradient(size);
  std::vector<A> losses(n);
  A value = 0;
  const double returned =
      hone::evaluate(cpu, make([](auto view) { return view; }), hone::matrix_view{z.data(), rows, K},
                     {{gradient.data(), rows, K}, losses.data(), &value}, how);
  double largest = 0, largest_loss = 1;
  for (const T g : gradient)
    if (std::isfinite(as_double(g))) largest = std::max(largest, std::abs(as_double(g)));
  for (const A l : losses)
    if (std::isfinite(double(l))) largest_loss = std::max(largest_loss, std::abs(double(l)));
  // 16-bit gradients are rounded from numbers that differ by units of float: at most one unit apart.
  const double unit_of_gradient =
      std::is_same_v<T, A> ? 1
                           : static_cast<double>(Eigen::NumTraits<T>::epsilon()) / std::numeric_limits<A>::epsilon();

  for (const int of : numbers_of_ranks)
    for (auto* const cut : {&even, &uneven})
      on_ranks(of, [&, of, cut](auto const& ranks) {
        const piece p = cut(K, of, ranks.rank());
        hone::cpu here{1 + ranks.rank() % 2};
        std::vector<T> g(size, T(7.0f));
        std::vector<A> l(n, A(7));
        A v = 7;
        const double r =
            hone::evaluate(here, make([p](auto view) { return columns_of(view, p); }),
                           hone::class_shard{columns_of(hone::matrix_view{z.data(), rows, K}, p), p.first, K, ranks},
                           {columns_of(hone::matrix_view{g.data(), rows, K}, p), l.data(), &v}, how);
        INFO(std::string(name), ", classes ", K, ", ranks ", of, ", rank ", ranks.rank());
        CHECK(ulps<A>(r, returned, largest_loss) <= ulp);
        CHECK(ulps<A>(double(v), double(value), largest_loss) <= ulp);
        double worst = 0, worst_loss = 0;
        bool outside = false;
        for (hone::index i = 0; i < rows; ++i) {
          worst_loss = std::max(worst_loss, ulps<A>(double(l[std::size_t(i)]), double(losses[std::size_t(i)]), 1));
          for (hone::index c = 0; c < K; ++c) {
            const auto at = static_cast<std::size_t>(i * K + c);
            if (c >= p.first && c < p.first + p.columns)
              worst = std::max(worst, ulps<A>(as_double(g[at]), as_double(gradient[at]), largest) / unit_of_gradient);
            else
              outside = outside || as_double(g[at]) != 7;
          }
        }
        CHECK(worst <= ulp);
        CHECK(worst_loss <= ulp);
        CHECK(!outside);
        std::vector<double> same{r, double(v)};
        for (const A x : l) same.push_back(double(x));  // NOLINT(performance-inefficient-vector-operation)
        if (std::none_of(same.begin(), same.end(), [](double x) { return std::isnan(x); }))
          check_same_on_all(ranks, same);
      });
}

template <class T = double>
std::vector<T> logits(hone::index rows, hone::index K, double size = 1) {
  std::vector<T> z;
  z.reserve(static_cast<std::size_t>(rows * K));
  for (hone::index i = 0; i < rows * K; ++i) z.push_back(static_cast<T>(static_cast<float>(size * support::noise(i))));
  return z;
}

/// Calls evaluate on columns of a whole matrix, on a rank.
template <class Ranks, class Objective>
double on_shard(Ranks const& ranks, Objective const& objective, std::vector<double> const& z, hone::index K, piece p,
                std::vector<double>* gradient = nullptr, hone::reduction how = hone::mean) {
  hone::cpu cpu{1};
  const auto rows = static_cast<hone::index>(z.size()) / K;
  hone::matrix_view<double> g;
  if (gradient) g = columns_of(hone::matrix_view{gradient->data(), rows, K}, p);
  return hone::evaluate(cpu, objective,
                        hone::class_shard{columns_of(hone::matrix_view{z.data(), rows, K}, p), p.first, K, ranks},
                        {.gradient = g}, how);
}

std::vector<double> vector_of(auto const& table) { return {std::begin(table), std::end(table)}; }

TEST_CASE("fault 17: smoothing over cut classes counts all classes, and means all logits") {
  const std::vector<double> z = vector_of(values::logits), w = vector_of(values::class_weights);
  const std::vector<int> y(std::begin(values::labels), std::end(values::labels));
  const auto target = hone::classes(y, {.ignore = -100});
  for (const int n : numbers_of_ranks)
    on_ranks(n, [&](auto const& ranks) {
      const auto check = [&](auto const& objective, double mean, auto const& losses, auto const& gradient) {
        const piece p = uneven(8, ranks.size(), ranks.rank());
        std::vector<double> g(48), l(6);
        hone::cpu cpu{1};
        const double value = hone::evaluate(
            cpu, objective, hone::class_shard{columns_of(hone::matrix_view{z.data(), 6, 8}, p), p.first, 8, ranks},
            {columns_of(hone::matrix_view{g.data(), 6, 8}, p), l.data()});
        CHECK(value == doctest::Approx(mean).epsilon(1e-15));
        for (std::size_t i = 0; i < 6; ++i) CHECK(l[i] == doctest::Approx(losses[i]).epsilon(1e-15));
        for (std::size_t i = 0; i < 48; ++i)
          if (hone::index(i % 8) >= p.first && hone::index(i % 8) < p.first + p.columns)
            CHECK(std::abs(g[i] - gradient[i]) <= 1e-16);
      };
      check(hone::cross_entropy(target), values::plain_mean, values::plain_losses, values::plain_gradient);
      check(hone::cross_entropy(hone::smooth(target, 0.1)), values::smoothed_mean, values::smoothed_losses,
            values::smoothed_gradient);
      check(hone::cross_entropy(hone::weigh_classes(hone::smooth(target, 0.1), w)), values::weighed_mean,
            values::weighed_losses, values::weighed_gradient);
    });
}

TEST_CASE("fault 17: the mean of log p is the mean of all logits minus logsumexp, for 8 classes and 6 rows") {
  const std::vector<double> z = logits(6, 8);
  const std::vector<int> y = support::labels(6, 8);
  const double epsilon = 0.25;
  double expected = 0;
  for (std::size_t i = 0; i < 6; ++i) {
    double sum = 0, exponentials = 0;
    for (std::size_t c = 0; c < 8; ++c) sum += z[8 * i + c], exponentials += std::exp(z[8 * i + c]);
    const double lse = std::log(exponentials);
    expected -= (1 - epsilon) * (z[8 * i + std::size_t(y[i])] - lse) + epsilon * (sum / 8 - lse);
  }
  for (const int n : {1, 2})
    on_ranks(n, [&](auto const& ranks) {
      const double value = on_shard(ranks, hone::cross_entropy(hone::smooth(hone::classes(y), epsilon)), z, 8,
                                    even(8, ranks.size(), ranks.rank()), nullptr, hone::sum);
      CHECK(value == doctest::Approx(expected).epsilon(1e-15));
    });
}

TEST_CASE("fault 18: gathered logits are refused on every rank, because each class would count once per rank") {
  const std::vector<double> z = logits(3, 8);
  const std::vector<int> y = support::labels(3, 8);
  const auto objective = hone::cross_entropy(hone::classes(y));
  for (const int n : {2, 3, 4, 8})
    on_ranks(n, [&](auto const& ranks) {
      CHECK_THROWS_WITH_AS(on_shard(ranks, objective, z, 8, {0, 8}),
                           "evaluate: class 0 is on ranks 0 and 1: the shards must have each class once",
                           hone::invalid_argument);
      // In order, and yet the last two shards overlap.
      piece p = even(8, ranks.size(), ranks.rank());
      if (ranks.rank() == n - 1) --p.first, ++p.columns;
      const hone::index twice = even(8, n, n - 1).first - 1;
      const std::string text = "evaluate: class " + std::to_string(twice) + " is on ranks " + std::to_string(n - 2) +
                               " and " + std::to_string(n - 1) + ": the shards must have each class once";
      CHECK_THROWS_WITH_AS(on_shard(ranks, objective, z, 8, p), text.c_str(), hone::invalid_argument);
    });
}

TEST_CASE("fault 20: every shard has p minus the label here, also where the label is elsewhere") {
  const hone::index K = 8;
  const std::vector<double> z = logits(6, K);
  const std::vector<int> y = support::labels(6, K);
  for (const int n : numbers_of_ranks)
    on_ranks(n, [&](auto const& ranks) {
      const piece p = even(K, ranks.size(), ranks.rank());
      std::vector<double> g(z.size());
      static_cast<void>(on_shard(ranks, hone::cross_entropy(hone::classes(y)), z, K, p, &g, hone::sum));
      for (std::size_t i = 0; i < 6; ++i) {
        double sum = 0;
        for (std::size_t c = 0; c < 8; ++c) sum += std::exp(z[8 * i + c]);
        for (auto c = std::size_t(p.first); c < std::size_t(p.first + p.columns); ++c) {
          CHECK(g[8 * i + c] != 0);
          CHECK(g[8 * i + c] == doctest::Approx(std::exp(z[8 * i + c]) / sum - (y[i] == int(c))).epsilon(1e-14));
        }
      }
    });
}

TEST_CASE("losses over cut classes equal those of whole rows") {
  for (const hone::index K : {5, 8, 40, 300}) {
    const hone::index rows = K == 40 ? 1100 : 19;  // more than a block
    const std::vector<double> z = logits(rows, K), t = logits<double>(rows, K, 0.7);
    const std::vector<int> y = support::labels(rows, K);
    std::vector<int> second = y, some = y;
    for (std::size_t i = 0; i < y.size(); ++i) second[i] = (y[i] * 3 + 1) % int(K);
    for (std::size_t i = 0; i < y.size(); i += 3) some[i] = -100;
    std::vector<double> lambda(y.size()), row_weights(y.size()), class_weights(static_cast<std::size_t>(K)),
        margins(static_cast<std::size_t>(K));
    for (std::size_t i = 0; i < y.size(); ++i) lambda[i] = double(i % 5) / 4, row_weights[i] = double(i % 4);
    for (std::size_t c = 0; c < margins.size(); ++c)
      class_weights[c] = 0.25 * double(1 + c % 7), margins[c] = 0.1 * double(c % 5);
    const hone::matrix_view teacher{t.data(), rows, K};
    const auto hard = hone::classes(y), ignoring = hone::classes(some, {.ignore = -100}), other = hone::classes(second);

    compare("cross entropy", z, rows, K, [&](auto const&) { return hone::cross_entropy(hard); });
    compare("mix", z, rows, K, [&](auto const&) { return hone::cross_entropy(hone::mix(hard, other, lambda)); });
    compare("smooth with z-loss", z, rows, K,
            [&](auto const&) { return hone::cross_entropy(hone::smooth(ignoring, 0.1)) + hone::z_loss(1e-3); });
    compare("leave one out", z, rows, K,
            [&](auto const&) { return hone::cross_entropy(hone::smooth(hard, 0.1, hone::leave_one_out)); });
    compare("class and row weights", z, rows, K, [&](auto const&) {
      return 2 * hone::weigh_rows(hone::cross_entropy(hone::weigh_classes(
                                      hone::smooth(hone::mix(hard, ignoring, 0.3), 0.1), class_weights)),
                                  row_weights);
    });
    compare("class weights", z, rows, K,
            [&](auto const&) { return hone::cross_entropy(hone::weigh_classes(ignoring, class_weights)); });
    compare(
        "mix of probabilities", z, rows, K,
        [&](auto const& cut) { return hone::cross_entropy(hone::mix(hard, hone::probabilities(cut(teacher)), 0.5)); },
        hone::sum);
    compare(
        "probabilities", z, rows, K,
        [&](auto const& cut) { return hone::cross_entropy(hone::probabilities(cut(teacher))); }, hone::sum);
    compare(
        "distillation", z, rows, K,
        [&](auto const& cut) { return hone::cross_entropy(ignoring) + 0.5 * hone::distillation(cut(teacher), 4); },
        hone::mean_over(12));
    compare("focal", z, rows, K,
            [&](auto const&) { return hone::softmax_focal_loss(hone::smooth(hard, 0.1), {.gamma = 1.5}); });
    compare("poly1", z, rows, K, [&](auto const&) { return hone::poly1_cross_entropy(hard); });
    compare("ldam", z, rows, K, [&](auto const&) { return hone::ldam_loss(hard, margins, {.scale = 3}); });
    compare("jensen-shannon", z, rows, K,
            [&](auto const& cut) { return hone::jensen_shannon_distillation(cut(teacher), 2); });
    compare(
        "reverse", z, rows, K, [&](auto const& cut) { return hone::reverse_distillation(cut(teacher), 2); }, hone::mean,
        32);
    compare(
        "decoupled", z, rows, K, [&](auto const& cut) { return hone::decoupled_distillation(hard, cut(teacher), 4); },
        hone::mean, 32);
  }
}

TEST_CASE("a teacher close to the student is compared without cancellation on cut classes too") {
  const hone::index rows = 7, K = 33;
  const std::vector<double> z = logits(rows, K);
  std::vector<double> t = z;
  for (std::size_t i = 0; i < t.size(); ++i) t[i] += 1e-6 * support::noise(hone::index(i) + 77);
  const hone::matrix_view teacher{t.data(), rows, K};
  compare("close teacher", z, rows, K, [&](auto const& cut) { return hone::distillation(cut(teacher), 2); });
}

TEST_CASE("cut logits of every number type") {
  const hone::index rows = 21, K = 50;
  const std::vector<int> y = support::labels(rows, K);
  const auto objective = [&](auto const&) {
    return hone::cross_entropy(hone::smooth(hone::classes(y), 0.1)) + hone::z_loss(1e-3);
  };
  compare("float", logits<float>(rows, K), rows, K, objective);
  compare("Eigen::half", logits<Eigen::half>(rows, K), rows, K, objective);
  compare("Eigen::bfloat16", logits<Eigen::bfloat16>(rows, K), rows, K, objective);
}

TEST_CASE("masked, infinite and missing numbers on cut classes are those of whole rows") {
  const hone::index rows = 6, K = 24;
  std::vector<double> z = logits(rows, K);
  const std::vector<int> y(std::size_t(rows), 13);
  for (std::size_t c = 0; c < 12; ++c) z[c] = -infinity;                       // the first shards of row 0
  for (std::size_t c = 14; c < 24; ++c) z[24 + c] = -infinity;                 // the last ones of row 1
  for (std::size_t c = 0; c < 24; ++c) z[48 + c] = c == 13 ? 2.0 : -infinity;  // all but the label's class
  z[72 + 3] = std::nan(""), z[96 + 20] = infinity;                             // rows 3 and 4
  for (std::size_t c = 0; c < 24; ++c) z[120 + c] = -infinity;                 // all of row 5
  compare("masked", z, rows, K, [&](auto const&) { return hone::cross_entropy(hone::classes(y)); });
  compare("masked, smoothed", z, rows, K,
          [&](auto const&) { return hone::cross_entropy(hone::smooth(hone::classes(y), 0.1)); });
  compare("masked, focal", z, rows, K,
          [&](auto const&) { return hone::softmax_focal_loss(hone::classes(y)) + hone::z_loss(1); });
  const std::vector<double> finite(z.begin(), z.begin() + 72);
  const std::vector<int> of_finite(3, 13);
  compare("masked teacher", finite, 3, K, [&](auto const& cut) {
    return hone::distillation(cut(hone::matrix_view{finite.data(), 3, K}), 2) +
           hone::cross_entropy(hone::classes(of_finite));
  });
}

TEST_CASE("the gradient may be the cut logits themselves, and rows of nothing cost nothing") {
  const hone::index rows = 70, K = 90;
  const std::vector<double> z = logits(rows, K);
  const std::vector<int> y = support::labels(rows, K), ignored(std::size_t(rows), -1);
  for (const int n : numbers_of_ranks)
    on_ranks(n, [&](auto const& ranks) {
      const piece p = uneven(K, ranks.size(), ranks.rank());
      std::vector<double> apart(z.size()), in_place = z;
      const auto target = hone::classes(y);
      static_cast<void>(on_shard(ranks, hone::softmax_focal_loss(target), z, K, p, &apart));
      static_cast<void>(on_shard(ranks, hone::softmax_focal_loss(target), in_place, K, p, &in_place));
      bool same = true;
      for (hone::index i = 0; i < rows; ++i)
        for (hone::index c = p.first; c < p.first + p.columns; ++c)
          same = same && apart[std::size_t(i * K + c)] == in_place[std::size_t(i * K + c)];
      CHECK(same);
      std::vector<double> g(z.size(), 7.0);
      CHECK(on_shard(ranks, hone::cross_entropy(hone::classes(ignored, {.ignore = -1})), z, K, p, &g) == 0);
      for (hone::index c = p.first; c < p.first + p.columns; ++c) CHECK(g[std::size_t(c)] == 0);
      const std::vector<int> none;
      CHECK(on_shard(ranks, hone::cross_entropy(hone::classes(none)), {}, K, p) == 0);
    });
}

TEST_CASE("where one rank's arguments are wrong, no rank waits, and nothing is written") {
  const std::vector<double> z = logits(4, 8), longer = logits(5, 8);
  const std::vector<int> y = support::labels(4, 8), y5 = support::labels(5, 8);
  std::vector<int> wrong = y;
  wrong[2] = 8;
  for (const int n : {2, 4})
    on_ranks(n, [&](auto const& ranks) {
      const piece p = even(8, n, ranks.rank());
      std::vector<double> g(32, 7.0);
      const bool odd = ranks.rank() == 1;
      const auto evaluate = [&](std::vector<int> const& labels, std::vector<double> const& logits_of, piece cut,
                                double factor = 1) {
        return on_shard(ranks, factor * hone::cross_entropy(hone::classes(labels)), logits_of, 8, cut, &g);
      };
      if (odd)
        CHECK_THROWS_WITH_AS(evaluate(wrong, z, p), "evaluate: the label of row 2 is 8, must be in [0, 8)",
                             hone::invalid_argument);
      else
        CHECK_THROWS_AS(evaluate(y, z, p), hone::rank_error);
      g.resize(40, 7.0);
      CHECK_THROWS_WITH_AS(evaluate(odd ? y5 : y, odd ? longer : z, p),
                           "evaluate: rank 1 has 5 rows, rank 0 has 4: every rank must have the same rows",
                           hone::invalid_argument);
      std::vector<int> other = y;
      if (odd) other[0] = 5;
      const char* const differs =
          "evaluate: the objective, labels, row weights or reduction of rank 1 differ from those of rank 0: they must "
          "be "
          "the same on every rank that shares the rows";
      CHECK_THROWS_WITH_AS(evaluate(other, z, p), differs, hone::invalid_argument);
      CHECK_THROWS_WITH_AS(evaluate(y, z, p, odd ? 2 : 1), differs, hone::invalid_argument);
      const piece missing{p.first, p.columns - (ranks.rank() == 0)};
      const std::string text =
          "evaluate: class " + std::to_string(8 / n - 1) + " of 8 is on no rank: the shards must have each class once";
      CHECK_THROWS_WITH_AS(evaluate(y, z, missing), text.c_str(), hone::invalid_argument);
      CHECK(std::all_of(g.begin(), g.end(), [](double x) { return x == 7; }));
      hone::cpu cpu{1};
      const auto outside = [&] {
        return hone::evaluate(cpu, hone::cross_entropy(hone::classes(y)),
                              hone::class_shard{hone::matrix_view{z.data(), 4, 4, 8}, 6, 8, ranks});
      };
      int predicted[4] = {7, 7, 7, 7};
      const auto classes_of_rows = [&] {
        return hone::evaluate(
            cpu, hone::cross_entropy(hone::classes(y)),
            hone::class_shard{hone::matrix_view{z.data() + p.first, 4, p.columns, 8}, p.first, 8, ranks},
            {.predicted = predicted});
      };
      CHECK_THROWS_WITH_AS(classes_of_rows(),
                           "evaluate: outputs.predicted is not made for a class_shard, must be absent",
                           hone::invalid_argument);
      CHECK(predicted[0] == 7);
      CHECK_THROWS_WITH_AS(outside(), "evaluate: a shard has classes [6, 10), must be in [0, 8)",
                           hone::invalid_argument);
    });
}

}  // namespace
