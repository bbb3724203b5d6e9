// SPDX-License-Identifier: MIT
// Norms, clipping and loss scaling over ranks. What is expected is computed from the gathered gradients by the ordinary
// transform, or by hand.
#include <hone/hone.hpp>

#include "../support/message.hpp"
#include "../support/numbers.hpp"
#include "../support/ranks.hpp"
#include "../support/same_bytes.hpp"

#include <doctest/doctest.h>

#include <cmath>
#include <cstring>
#include <limits>
#include <tuple>
#include <vector>

namespace {

using hone::index;

const hone::cpu cpu(2);

/// Numbers of a tensor, the same on every rank.
template <class T>
std::vector<T> numbers(index n, index seed = 0) {
  std::vector<T> v;
  v.reserve(static_cast<std::size_t>(n));
  for (index i = 0; i < n; ++i) v.push_back(static_cast<T>(support::noise(seed + i) * (i % 97 == 0 ? 100 : 1)));
  return v;
}
template <class T>
std::vector<T> part(std::vector<T> const& whole, index first, index count) {
  return std::vector<T>(whole.begin() + first, whole.begin() + first + count);
}
/// Rows and columns of a matrix that a rank holds.
template <class T>
std::vector<T> block(std::vector<T> const& whole, index columns, hone::shard_range rows, hone::shard_range of_columns) {
  std::vector<T> v;
  v.reserve(static_cast<std::size_t>(rows.count * of_columns.count));
  for (index r = rows.first; r < rows.first + rows.count; ++r)
    for (index c = 0; c < of_columns.count; ++c)
      v.push_back(whole[static_cast<std::size_t>(r * columns + of_columns.first + c)]);
  return v;
}
/// The k-th of n pieces of `whole`, as torch.chunk cuts: the last ones are smaller or empty.
hone::shard_range chunk(index whole, index k, index n) {
  const index each = (whole + n - 1) / n, first = std::min(whole, k * each);
  return {first, std::min(each, whole - first)};
}
template <class C>
hone::shard_range chunk(index whole, C const& ranks) {
  return chunk(whole, ranks.rank(), ranks.size());
}
template <class T>
bool same(std::vector<T> const& a, std::vector<T> const& b) {
  return a.size() == b.size() && (a.empty() || std::memcmp(a.data(), b.data(), a.size() * sizeof(T)) == 0);
}
/// Requires that all ranks have the same number.
template <class C>
void require_same(C const& ranks, double x) {
  std::int64_t of_first = __builtin_bit_cast(std::int64_t, x);
  ranks.broadcast(std::as_writable_bytes(std::span(&of_first, 1)), 0);
  CHECK(of_first == __builtin_bit_cast(std::int64_t, x));
}
template <class C>
void require_same(C const& ranks, hone::gradient_report const& report) {
  require_same(ranks, report.norm), require_same(ranks, report.coefficient), require_same(ranks, report.factor);
  require_same(ranks, double(report.finite));
}
bool same(hone::gradient_report const& a, hone::gradient_report const& b) {
  return a.norm == b.norm && a.coefficient == b.coefficient && a.factor == b.factor && a.finite == b.finite;
}
void check_close(double x, double y) { CHECK(std::abs(x - y) <= 1e-15 * std::abs(y)); }

struct sgd {
  double rate, momentum;
  template <hone::operand V>
  void operator()(V const& g, V& p, V& m) const {
    m = V(momentum) * m + g, p -= V(rate) * m;
  }
};

constexpr double infinity = std::numeric_limits<double>::infinity();

// ---- Faults of others, by their number ----

TEST_CASE("fault 1: a shard is clipped by the norm of all gathered gradients, on every rank") {
  on_ranks(2, [](auto const& ranks) {
    std::vector<float> g{ranks.rank() == 0 ? 3.f : 4.f};
    hone::sharded_list<float> list;
    list.push_back(g, hone::shard{ranks.rank(), 2});
    const auto report = hone::transform(cpu, hone::clip_by_global_norm(1), list, ranks);
    CHECK(report.norm == 5);
    CHECK(report.coefficient == 0.2);
    CHECK(g[0] == (ranks.rank() == 0 ? 3.f : 4.f) * 0.2f);
  });
}

TEST_CASE("fault 2: replicated parameters are counted once (28, not 48)") {
  on_ranks(2, [](auto const& ranks) {
    std::vector<float> sharded(4, 1.f), replicated(5, 2.f);  // 8 ones on both ranks, and five twos
    hone::sharded_list<float> list;
    list.push_back(sharded, hone::shard{4 * ranks.rank(), 8});
    list.push_back(replicated, hone::replicated);
    const auto report = hone::measure(cpu, hone::clip_by_global_norm(1), list, ranks);
    CHECK(report.norm * report.norm == doctest::Approx(28).epsilon(1e-15));
  });
}

TEST_CASE(
    "fault 3: weights that tensor-parallel ranks replicate are counted once (norms 1.36 to 1.52 times too large)") {
  for (const double of_replicated : {28.3, 43.7})
    on_ranks(4, [&](auto const& ranks) {
      std::vector<double> cut{std::sqrt((100 - of_replicated) / 4)}, same{std::sqrt(of_replicated)};
      hone::sharded_list<double> list;
      list.push_back({cut.data(), 1, 1}, hone::column_shard{ranks.rank(), 4});
      list.push_back(same, hone::replica{ranks.rank()});
      const auto report = hone::measure(cpu, hone::clip_by_global_norm(1), list, ranks);
      CHECK(report.norm == doctest::Approx(10).epsilon(1e-15));
      const double wrong = std::sqrt(100 - of_replicated + 4 * of_replicated) / 10;
      CHECK((wrong > 1.355 && wrong < 1.525));
    });
}

TEST_CASE("fault 4: tied weights are counted once (28.28, not 40), and changed once") {
  on_ranks(2, [](auto const& ranks) {
    const auto check = [&](std::vector<float>& g, hone::sharded_list<float> const& list) {
      const auto report = hone::transform(cpu, hone::clip_by_global_norm(1), list, ranks);
      CHECK(report.norm == std::sqrt(800.0));
      for (const float x : g) CHECK(x == 20 * static_cast<float>(report.coefficient));
    };
    std::vector<float> g{20, 20};
    hone::sharded_list<float> names;  // two names of one tensor
    names.push_back(g, hone::replicated);
    names.push_back(g, hone::tied);
    check(g, names);
    g = {20, 20};
    hone::sharded_list<float> ends;  // both ends of a pipeline have the tensor in memory of their own
    ends.push_back(g, hone::replica{ranks.rank()});
    check(g, ends);
  });
}

TEST_CASE("fault 5: where two kinds of parallelism meet, every number is counted exactly once") {
  const std::vector<double> whole = numbers<double>(48);
  double squares = 0;
  for (const double x : whole) squares += double(x) * double(x);
  on_ranks(4, [&](auto const& ranks) {
    const index across = ranks.rank() % 2, along = ranks.rank() / 2;  // a mesh of 2 x 2
    // Columns are cut along one axis and copied along the other.
    std::vector<double> g = block(whole, 8, {0, 6}, chunk(8, across, 2));
    hone::sharded_list<double> list;
    list.push_back({g.data(), 6, 4}, hone::column_shard{4 * across, 8, along});
    check_close(hone::measure(cpu, hone::clip_by_global_norm(1), list, ranks).norm, std::sqrt(squares));
    // Cut along both: flat halves of what each column of the mesh holds are places that a list cannot name, but rows
    // are.
    std::vector<double> quarter = block(whole, 8, chunk(6, along, 2), {0, 8});
    hone::sharded_list<double> rows;
    rows.push_back({quarter.data(), 3, 8}, hone::row_shard{3 * along, 6, across});
    check_close(hone::measure(cpu, hone::clip_by_global_norm(1), rows, ranks).norm, std::sqrt(squares));
    // A shard that no rank counts, and one that two ranks count.
    hone::sharded_list<double> left_out, twice;
    left_out.push_back({g.data(), 6, 4}, hone::column_shard{4 * across, 8, ranks.rank() == 1 ? 1 : along});
    twice.push_back({g.data(), 6, 4}, hone::column_shard{4 * across, 8, ranks.rank() == 2 ? 0 : along});
    CHECK(support::message([&] { hone::measure(cpu, hone::unscale(1), left_out, ranks); }) ==
          "measure: the shards of all ranks have 24 numbers, their wholes 48: every number must be in one shard");
    CHECK(support::message([&] { hone::transform(cpu, hone::unscale(2), twice, ranks); }) ==
          "transform: the shards of all ranks have 72 numbers, their wholes 48: every number must be in one shard");
    CHECK(same(g, block(whole, 8, {0, 6}, chunk(8, across, 2))));
  });
}

TEST_CASE("fault 6: the reported norm is that of all ranks, and the same on every rank") {
  for (const int n : numbers_of_ranks)
    on_ranks(n, [](auto const& ranks) {
      std::vector<double> g(1, ranks.rank() + 1);
      hone::sharded_list<double> list;
      list.push_back(g, hone::shard{ranks.rank(), ranks.size()});
      double squares = 0;
      for (int r = 1; r <= ranks.size(); ++r) squares += r * r;
      const auto report = hone::measure(cpu, hone::clip_by_global_norm(0.5), list, ranks);
      CHECK(report.norm == std::sqrt(squares));
      require_same(ranks, report);
    });
}

TEST_CASE("fault 7: an infinity on rank 0 makes every rank back off (2.0 to 1.0), and nobody steps") {
  for (const bool replicated : {false, true})
    for (const int bad : {0, 1})
      on_ranks(2, [&](auto const& ranks) {
        hone::loss_scaler scaler{.initial = 2, .minimum = 0.5};
        std::vector<float> g(3000, 1.f), p(3000, 5.f), m(3000, 0.f);
        if (ranks.rank() == bad) g[7] = static_cast<float>(infinity);
        const std::vector<float> before = g;
        hone::sharded_list<float> list;
        if (replicated)
          list.push_back(g, hone::replicated);
        else
          list.push_back(g, hone::shard{3000 * ranks.rank(), 6000});
        const hone::tensor_list<float> parameters{p}, momenta{m};
        hone::ema_state<float> shadow(parameters);
        const auto chain = hone::chain(hone::unscale(scaler), hone::clip_by_global_norm(1));
        for (const auto& report :
             {hone::transform(cpu, chain, list, ranks), hone::transform(cpu, hone::clip_by_norm(1), list, ranks),
              hone::step(cpu, chain, sgd{1, 0.9}, list, ranks, parameters, momenta,
                         hone::averaged_in(hone::ema{.decay = 0.5}, shadow))}) {
          CHECK_FALSE(report.finite);
          CHECK(same(g, before));
        }
        CHECK(same(p, std::vector<float>(3000, 5.f)));
        CHECK(same(m, std::vector<float>(3000, 0.f)));
        CHECK(shadow.progress().get().steps == 0);
        scaler.update(hone::measure(cpu, chain, list, ranks).finite);
        CHECK(scaler.scale() == 1.0);
      });
}

TEST_CASE("fault 8: a rank without any tensor takes part") {
  for (const int n : {2, 3})
    on_ranks(n, [](auto const& ranks) {
      std::vector<float> g{3, 4}, w{1, 1}, m{0, 0};
      hone::sharded_list<float> list, parameters;
      if (ranks.rank() == 1) {
        list.push_back({g.data(), 1, 2}, hone::column_shard{0, 2});
        parameters.push_back({w.data(), 1, 2}, hone::column_shard{0, 2});
      }
      const hone::tensor_list<float> p = parameters.tensors();
      const auto norm = [&](auto const& chain) { return hone::transform(cpu, chain, list, ranks).norm; };
      CHECK(norm(hone::clip_by_global_norm(10)) == 5);
      CHECK(norm(hone::clip_by_global_norm(10, {.p = 1})) == 7);
      CHECK(norm(hone::clip_by_global_norm(10, {.p = infinity})) == 4);
      CHECK(norm(hone::clip_by_norm(10)) == 5);
      CHECK(norm(hone::chain(hone::clip_by_norm(10, {.p = 1}), hone::clip_by_global_norm(10, {.p = infinity}))) == 4);
      CHECK(norm(hone::adaptive_clip(p, {.clipping = 100})) == 5);
      if (ranks.rank() == 1) CHECK(same(g, {3, 4}));
      hone::step(cpu, hone::clip_by_global_norm(1), sgd{1, 0}, list, ranks, p,
                 p.size() ? hone::tensor_list<float>{m} : p);
    });
}

TEST_CASE("fault 9: a norm is divided by the scale that multiplied, not by the one after the update") {
  on_ranks(2, [](auto const& ranks) {
    hone::loss_scaler scaler{.initial = 1024, .interval = 1};
    std::vector<float> g{3 * 1024.f * float(1 - ranks.rank()) + 4 * 1024.f * float(ranks.rank())};
    hone::sharded_list<float> list;
    list.push_back(g, hone::shard{ranks.rank(), 2});
    const auto report = hone::transform(cpu, hone::unscale(scaler), list, ranks);
    scaler.update(report.finite);
    CHECK(scaler.scale() == 2048);
    CHECK(report.norm == 5);
    CHECK(report.factor == 1.0 / 1024);
    CHECK(g[0] == (ranks.rank() == 0 ? 3.f : 4.f));
  });
}

// ---- The same bits ----

/// A small model on `n` ranks: a flat shard, rows, replicated and tied tensors. cut: 0 shard_of, 1 uneven.
template <class T>
struct model {
  static constexpr index flat_numbers = 100 * 1024 + 77, rows = 37, columns = 333;
  std::vector<T> flat = numbers<T>(flat_numbers), matrix = numbers<T>(rows * columns, 7), bias = numbers<T>(333, 3);

  hone::tensor_list<T> gathered() { return {flat, {matrix.data(), rows, columns}, bias}; }
};
template <class T>
struct model_part {
  std::vector<T> flat, matrix, bias;
  hone::shard_range of_flat, of_rows;
  hone::sharded_list<T> list;

  template <class C>
  model_part(model<T> const& all, C const& ranks, bool uneven) : bias(all.bias) {
    of_flat = hone::shard_of(all.flat_numbers, ranks), of_rows = chunk(all.rows, ranks);
    if (uneven && ranks.size() > 1) {  // the last rank has nearly all
      const bool last = ranks.rank() + 1 == ranks.size();
      of_flat = {1024 * ranks.rank(), last ? all.flat_numbers - 1024 * ranks.rank() : 1024};
      of_rows = {ranks.rank(), last ? all.rows - ranks.rank() : 1};
    }
    flat = part(all.flat, of_flat.first, of_flat.count);
    matrix = block(all.matrix, all.columns, of_rows, {0, all.columns});
    list.push_back(flat, hone::shard{of_flat.first, all.flat_numbers});
    list.push_back({matrix.data(), of_rows.count, all.columns}, hone::row_shard{of_rows.first, all.rows});
    list.push_back(bias, hone::replicated);
    list.push_back(bias, hone::tied);
  }
  bool is_part_of(model<T> const& all) const {
    return same(flat, part(all.flat, of_flat.first, of_flat.count)) &&
           same(matrix, block(all.matrix, all.columns, of_rows, {0, all.columns})) && same(bias, all.bias);
  }
};

/// Calls body(chain) for chains of every kind.
template <class Body>
void each_chain(Body const& body) {
  body(hone::clip_by_global_norm(1));
  body(hone::chain(hone::unscale(8), hone::clip_by_global_norm(1)));
  body(hone::chain(hone::unscale(0.5), hone::clip_by_global_norm(3, {.p = 1})));
  body(hone::chain(hone::clip_by_value(2), hone::clip_by_global_norm(1), hone::clip_by_value(0.01)));
  body(hone::clip_by_global_norm(1, {.p = infinity}));
  body(hone::clip_by_value(1));
  body(hone::clip_by_norm(1));
  body(hone::chain(hone::clip_by_value(2), hone::clip_by_norm(30, {.p = 1}), hone::clip_by_global_norm(0.5)));
  body(hone::chain(hone::clip_by_norm(1, {.p = infinity}), hone::clip_by_global_norm(0.5, {.p = infinity})));
}

TEST_CASE_TEMPLATE("norm, coefficient and clipped gradients have the same bits for any number of ranks and any cut", T,
                   float, double, Eigen::half, Eigen::bfloat16) {
  each_chain([](auto const& chain) {
    model<T> clipped;
    hone::gradient_report alone;
    {
      const model_part<T> whole(clipped, hone::self{}, false);
      alone = hone::transform(cpu, chain, whole.list, hone::self{});
      clipped.flat = whole.flat, clipped.matrix = whole.matrix, clipped.bias = whole.bias;
    }
    REQUIRE(alone.finite);
    for (const bool uneven : {false, true})
      for (const int n : numbers_of_ranks)
        on_ranks(n, [&](auto const& ranks) {
          const model<T> gradients;
          model_part<T> mine(gradients, ranks, uneven);
          const auto report = hone::transform(hone::cpu(ranks.rank() % 3 + 1), chain, mine.list, ranks);
          CHECK(same(report, alone));
          CHECK(mine.is_part_of(clipped));
        });
  });
}

TEST_CASE("a clip over ranks is that of the gathered gradients by the ordinary transform, to 1e-15") {
  each_chain([](auto const& chain) {
    model<double> gathered;
    const auto alone = hone::transform(cpu, chain, gathered.gathered());
    for (const int n : {1, 3, 4})
      on_ranks(n, [&](auto const& ranks) {
        const model<double> gradients;
        model_part<double> mine(gradients, ranks, true);
        const auto report = hone::transform(cpu, chain, mine.list, ranks);
        check_close(report.norm, alone.norm);
        check_close(report.coefficient, alone.coefficient);
        check_close(report.factor, alone.factor);
        CHECK(report.finite == alone.finite);
        double worst = 0;
        for (std::size_t i = 0; i < mine.flat.size(); ++i) {
          const double x = gathered.flat[static_cast<std::size_t>(mine.of_flat.first) + i];
          worst = std::max(worst, std::abs(mine.flat[i] - x) / std::abs(x));
        }
        for (std::size_t i = 0; i < mine.bias.size(); ++i)
          worst = std::max(worst, std::abs(mine.bias[i] - gathered.bias[i]) / std::abs(gathered.bias[i]));
        CHECK(worst <= 1e-15);
      });
  });
}

TEST_CASE("shards that begin within a block have the right norm") {
  const std::vector<float> whole = numbers<float>(70001);
  std::vector<float> copy = whole;
  const double expected = hone::measure(cpu, hone::unscale(1), hone::tensor_list<float>{copy}).norm;
  for (const int n : numbers_of_ranks)
    on_ranks(n, [&](auto const& ranks) {
      const auto [first, count] = chunk(70001, ranks);
      std::vector<float> g = part(whole, first, count);
      hone::sharded_list<float> list;
      list.push_back(g, hone::shard{first, 70001});
      const auto report = hone::measure(cpu, hone::unscale(1), list, ranks);
      CHECK(report.norm == doctest::Approx(expected).epsilon(1e-7));
      require_same(ranks, report);
    });
}

TEST_CASE("several lists have one norm, of the same bits for any number of ranks") {
  const std::vector<float> single = numbers<float>(9000);
  const std::vector<Eigen::half> halves = numbers<Eigen::half>(7001, 5);
  const auto chain = hone::chain(hone::unscale(0.25), hone::clip_by_value(3), hone::clip_by_global_norm(1));
  std::vector<float> a = single;
  std::vector<Eigen::half> b = halves;
  const auto ordinary = hone::transform(cpu, chain, hone::tensor_list<float>{a}, hone::tensor_list<Eigen::half>{b});
  for (const int n : numbers_of_ranks)
    on_ranks(n, [&](auto const& ranks) {
      const auto [f, m] = hone::shard_of(9000, ranks);
      const auto [first, count] = hone::shard_of(7001, ranks);
      std::vector<float> mine = part(single, f, m);
      std::vector<Eigen::half> of_half = part(halves, first, count);
      hone::sharded_list<float> list;
      hone::sharded_list<Eigen::half> list_of_half;
      list.push_back(mine, hone::shard{f, 9000});
      list_of_half.push_back(of_half, hone::shard{first, 7001});
      const auto report = hone::transform(cpu, chain, std::tie(list, list_of_half), ranks);
      check_close(report.norm, ordinary.norm);
      check_close(report.coefficient, ordinary.coefficient);
      CHECK(same(mine, part(a, f, m)));
      CHECK(same(of_half, part(b, first, count)));
    });
}

TEST_CASE("a step over ranks has the bits of the same step on one rank") {
  const index n_of_all = 20 * 1024 + 5;
  const std::vector<float> whole = numbers<float>(n_of_all), start = numbers<float>(n_of_all, 11);
  const auto clip = hone::chain(hone::unscale(2), hone::clip_by_global_norm(1));
  const auto run = [&](auto const& ranks) {
    const auto [first, count] = hone::shard_of(n_of_all, ranks);
    std::vector<float> g = part(whole, first, count), p = part(start, first, count), m(p.size(), 0.5f);
    hone::sharded_list<float> list;
    list.push_back(g, hone::shard{first, n_of_all});
    list.push_back(g, hone::tied);
    hone::tensor_list<float> parameters{p}, momenta{m};
    parameters.push_back({}), momenta.push_back({});
    hone::ema_state<float> shadow(parameters);
    hone::step_sums sums{.rows = 3};
    for (int k = 0; k < 3; ++k)
      hone::step(cpu, clip, sgd{0.1, 0.9}, list, ranks, sums, parameters, momenta,
                 hone::averaged_in(hone::ema{.decay = 0.9}, shadow));
    std::vector<float> average(p.size());
    hone::copy(cpu, shadow, hone::tensor_list<float>{{average.data(), average.size()}, {}});
    return std::tuple(first, p, m, average);
  };
  const auto [zero, p, m, average] = run(hone::self{});
  for (const int n : numbers_of_ranks)
    on_ranks(n, [&, &p_ = p, &m_ = m, &average_ = average](auto const& ranks) {
      const auto [first, its_p, its_m, its_average] = run(ranks);
      const auto count = static_cast<index>(its_p.size());
      CHECK(same(its_p, part(p_, first, count)));
      CHECK(same(its_m, part(m_, first, count)));
      CHECK(same(its_average, part(average_, first, count)));
    });
  CHECK(zero == 0);
}

// ---- Adaptive clipping ----

TEST_CASE("adaptive clipping of cut tensors is that of whole ones") {
  constexpr index rows = 12, columns = 40;
  const std::vector<double> all_g = numbers<double>(rows * columns), all_w = numbers<double>(rows * columns, 9),
                            all_b = numbers<double>(columns, 2), all_v = numbers<double>(columns, 4);
  for (const hone::agc_units units : {hone::agc_units::rows, hone::agc_units::columns})
    for (const bool by_rows : {true, false})
      for (const bool limited : {false, true}) {
        const auto run = [&](auto const& ranks, hone::shard_range r, hone::shard_range c, auto const& call) {
          std::vector<double> g = block(all_g, columns, r, c), w = block(all_w, columns, r, c);
          const auto of_bias = chunk(columns, ranks);
          std::vector<double> b = part(all_b, of_bias.first, of_bias.count),
                              v = part(all_v, of_bias.first, of_bias.count);
          const hone::tensor_list<double> parameters{{w.data(), r.count, c.count}, v};
          const auto adaptive = hone::adaptive_clip(parameters, {.clipping = 0.05, .units = units});
          hone::gradient_report report;
          if (limited)
            report = call(hone::chain(hone::clip_by_value(3), adaptive, hone::clip_by_global_norm(0.3)), g, b, of_bias);
          else
            report = call(hone::chain(adaptive, hone::clip_by_global_norm(0.3)), g, b, of_bias);
          return std::tuple(report, g, b);
        };
        const auto [alone, g, b] = run(
            hone::self{}, {0, rows}, {0, columns}, [&](auto const& chain, auto& its_g, auto& its_b, hone::shard_range) {
              return hone::transform(cpu, chain, hone::tensor_list<double>{{its_g.data(), rows, columns}, its_b});
            });
        for (const int n : {1, 2, 3, 8})
          on_ranks(n, [&, &alone_ = alone, &g_ = g, &b_ = b](auto const& ranks) {
            const hone::shard_range r = by_rows ? chunk(rows, ranks) : hone::shard_range{0, rows},
                                    c = by_rows ? hone::shard_range{0, columns} : chunk(columns, ranks);
            const auto [report, mine, bias] =
                run(ranks, r, c, [&](auto const& chain, auto& its_g, auto& its_b, hone::shard_range of_bias) {
                  hone::sharded_list<double> list;
                  if (by_rows)
                    list.push_back({its_g.data(), r.count, c.count}, hone::row_shard{r.first, rows});
                  else
                    list.push_back({its_g.data(), r.count, c.count}, hone::column_shard{c.first, columns});
                  list.push_back(its_b, hone::shard{of_bias.first, columns});
                  return hone::transform(cpu, chain, list, ranks);
                });
            check_close(report.norm, alone_.norm);
            check_close(report.coefficient, alone_.coefficient);
            require_same(ranks, report);
            const std::vector<double> expected = block(g_, columns, r, c);
            double worst = 0;
            for (std::size_t i = 0; i < mine.size(); ++i)
              worst = std::max(worst, std::abs(mine[i] - expected[i]) / std::abs(expected[i]));
            for (std::size_t i = 0; i < bias.size(); ++i) {
              const double x = b_[static_cast<std::size_t>(chunk(columns, ranks).first) + i];
              worst = std::max(worst, std::abs(bias[i] - x) / std::abs(x));
            }
            CHECK(worst <= 1e-15);
          });
      }
}

TEST_CASE("adaptive clipping of rows that lie on one rank each has the same bits for any number of ranks") {
  constexpr index rows = 29, columns = 1500;
  const std::vector<float> all_g = numbers<float>(rows * columns), all_w = numbers<float>(rows * columns, 9);
  const auto run = [&](auto const& ranks) {
    const hone::shard_range r = chunk(rows, ranks);
    std::vector<float> g = block(all_g, columns, r, {0, columns}), w = block(all_w, columns, r, {0, columns});
    const hone::tensor_list<float> parameters{{w.data(), r.count, columns}};
    hone::sharded_list<float> list;
    list.push_back({g.data(), r.count, columns}, hone::row_shard{r.first, rows});
    const auto report = hone::transform(
        cpu, hone::chain(hone::adaptive_clip(parameters), hone::clip_by_global_norm(0.01)), list, ranks);
    return std::tuple(report, g);
  };
  const auto [alone, all] = run(hone::self{});
  for (const int n : numbers_of_ranks)
    on_ranks(n, [&, &alone_ = alone, &all_ = all](auto const& ranks) {
      const auto [report, g] = run(ranks);
      CHECK(same(report, alone_));
      CHECK(same(g, block(all_, columns, chunk(rows, ranks), {0, columns})));
    });
}

TEST_CASE("shards with replicas: norms of tensors and units count each number once in a mesh of 2 x 2") {
  constexpr index rows = 3, columns = 70000;  // a row of a shard is summed in several pieces
  const std::vector<double> all_g = numbers<double>(rows * columns), all_w = numbers<double>(rows * columns, 9);
  const auto check = [&](auto const& chain_of, double tolerance) {
    std::vector<double> g = all_g, w = all_w, small(5, 2.0), v(5, 1.0);
    const hone::tensor_list<double> parameters{{w.data(), rows, columns}, v};
    const auto alone =
        hone::transform(cpu, chain_of(parameters), hone::tensor_list<double>{{g.data(), rows, columns}, small});
    on_ranks(4, [&](auto const& ranks) {
      const index across = ranks.rank() % 2, along = ranks.rank() / 2;
      const hone::shard_range c = chunk(columns, across, 2);
      std::vector<double> mine = block(all_g, columns, {0, rows}, c), of_w = block(all_w, columns, {0, rows}, c);
      std::vector<double> its_small(5, 2.0), its_v(5, 1.0);
      const hone::tensor_list<double> its_parameters{{of_w.data(), rows, c.count}, its_v};
      hone::sharded_list<double> list;
      list.push_back({mine.data(), rows, c.count}, hone::column_shard{c.first, columns, along});
      list.push_back(its_small, hone::replicated);
      const auto report = hone::transform(cpu, chain_of(its_parameters), list, ranks);
      check_close(report.norm, alone.norm);
      CHECK(std::abs(report.coefficient - alone.coefficient) <= tolerance * alone.coefficient);
      const std::vector<double> expected = block(g, columns, {0, rows}, c);
      double worst = 0;
      for (std::size_t i = 0; i < mine.size(); ++i)
        worst = std::max(worst, std::abs(mine[i] - expected[i]) / std::abs(expected[i]));
      for (std::size_t i = 0; i < small.size(); ++i)
        worst = std::max(worst, std::abs(its_small[i] - small[i]) / std::abs(small[i]));
      CHECK(worst <= tolerance);
    });
  };
  for (const double p : {1.0, 2.0, infinity})
    check([p](auto const&) { return hone::chain(hone::clip_by_norm(3, {.p = p}), hone::clip_by_global_norm(2)); },
          1e-15);
  for (const hone::agc_units units : {hone::agc_units::rows, hone::agc_units::columns})
    for (const bool excludes : {false, true}) {
      const auto adaptive = [=](auto const& parameters) {
        std::vector<std::size_t> excluded;
        if (excludes) excluded.push_back(0);
        return hone::adaptive_clip(parameters, {.clipping = 0.1, .units = units, .excluded = excluded});
      };
      // The ordinary transform adds the sums of 70000 columns in turn, and rounds as often.
      const double tolerance = units == hone::agc_units::columns ? 1e-14 : 1e-15;
      check([&](auto const& parameters) { return hone::chain(adaptive(parameters), hone::clip_by_global_norm(2)); },
            tolerance);
      check(
          [&](auto const& parameters) {
            return hone::chain(adaptive(parameters), hone::clip_by_global_norm(2, {.p = infinity}));
          },
          tolerance);
    }
}

// ---- Sums of the trainer, agreement, errors ----

TEST_CASE("step_sums hold the totals of all ranks after the call, the same bits for any number of ranks") {
  const double losses[] = {1e16, 0.1, -1e16, 3, 0.2, 0.3, 7, 1e-9};
  for (const int n : numbers_of_ranks)
    on_ranks(n, [&](auto const& ranks) {
      std::vector<float> g{1};
      const hone::tensor_list<float> list{g};
      hone::step_sums sums{.rows = 10 + ranks.rank(), .positives = ranks.rank() == 0 ? 5 : 0};
      for (int k = ranks.rank(); k < 8; k += n) sums.loss.add(losses[k]), sums.others[1].add(2);
      sums.counts[3] = 1;
      hone::exact_sum expected;
      for (const double x : losses) expected.add(x);
      const auto report = hone::transform(cpu, hone::clip_by_global_norm(0.5), list, ranks, sums);
      CHECK(report.norm == 1);
      CHECK(sums.loss.value() == expected.value());
      CHECK(sums.rows == 10 * n + n * (n - 1) / 2);
      CHECK(sums.positives == 5);
      CHECK(sums.others[1].value() == 16);
      CHECK(sums.others[0].value() == 0);
      CHECK(sums.counts[3] == n);
    });
}

TEST_CASE("a tensor_list is the same on every rank, and its copies keep the report of rank 0") {
  on_ranks(3, [](auto const& ranks) {
    std::vector<float> g = numbers<float>(5000);
    std::vector<float> alone = g;
    const auto expected = hone::transform(cpu, hone::clip_by_global_norm(1), hone::tensor_list<float>{alone});
    if (ranks.rank() == 2) g[0] += 1;  // a copy that has drifted
    const auto report = hone::transform(cpu, hone::clip_by_global_norm(1), hone::tensor_list<float>{g}, ranks);
    check_close(report.norm, expected.norm);
    require_same(ranks, report);
  });
}

TEST_CASE("a bad argument on one rank is an error on all, and nothing is written") {
  on_ranks(3, [](auto const& ranks) {
    const auto bad = ranks.rank() == 1;
    std::vector<float> g(8, 1.f);
    hone::step_sums sums{.rows = 4};
    const auto error = [&](auto const& chain, auto const& list) {
      try {
        hone::transform(cpu, chain, list, ranks, sums);
      } catch (hone::invalid_argument const& e) {
        return std::string(e.what());
      } catch (hone::rank_error const& e) {
        return std::string(e.what());
      }
      return std::string();
    };
    const auto clip = hone::clip_by_global_norm(1);
    hone::sharded_list<float> outside, negative, not_tied, twice, flat;
    outside.push_back(g, hone::shard{bad ? 17 : 8 * ranks.rank(), 24});
    CHECK(error(clip, outside) ==
          (bad ? "transform: tensor 0 of gradients is numbers [17, 17 + 8) of 24, must lie within"
               : "transform: rank 1 of 3 failed"));
    negative.push_back(g, hone::replica{bad ? -1 : 0});
    CHECK(error(clip, negative) == (bad ? "transform: tensor 0 of gradients is replica -1, must be at least 0"
                                        : "transform: rank 1 of 3 failed"));
    std::vector<float> other(8, 1.f);
    not_tied.push_back(g, hone::replicated);
    if (bad) not_tied.push_back(other, hone::tied);
    CHECK(
        error(clip, not_tied) ==
        (bad ? "transform: tensor 1 of gradients is tied, but no earlier tensor has its memory: hone::replica{1} is a "
               "copy"
             : "transform: rank 1 of 3 failed"));
    twice.push_back(g, hone::replicated);
    if (bad) twice.push_back(g, hone::replicated);
    CHECK(error(clip, twice) == (bad ? "transform: tensors 0 and 1 of gradients share memory: list tied weights once"
                                     : "transform: rank 1 of 3 failed"));
    hone::loss_scaler scaler{.initial = bad ? 0 : 8};
    CHECK(error(hone::unscale(scaler), hone::tensor_list<float>{g}) ==
          (bad ? "loss_scaler: initial is 0, must be above 0 and finite" : "transform: rank 1 of 3 failed"));
    flat.push_back(g, hone::shard{8 * ranks.rank(), 24});
    std::vector<float> w(8, 1.f);
    CHECK(error(hone::adaptive_clip(hone::tensor_list<float>{{w.data(), bad ? 2 : 1, bad ? 4 : 8}}), flat) ==
          (bad ? "transform: tensor 0 of gradients is a flat shard of a matrix, whose units adaptive_clip cannot know: "
                 "use hone::row_shard or hone::column_shard"
               : "transform: rank 1 of 3 failed"));
    // What is right on each rank, but not the same on all.
    CHECK(error(hone::clip_by_global_norm(bad ? 0.5 : 0.25), flat) ==
          "transform: the steps, the scale of the loss or the rounding are not the same on all ranks");
    hone::sharded_list<float> more = flat;
    std::vector<float> small(bad ? 1 : 0);
    if (bad) more.push_back(small, hone::shard{0, 1});
    CHECK(error(hone::clip_by_norm(0.5), more) ==
          "transform: ranks list different cut tensors: a rank without a part of a tensor lists it with no rows or "
          "columns");
    CHECK(same(g, std::vector<float>(8, 1.f)));
    CHECK(sums.rows == 4);
    CHECK(error(clip, flat).empty());  // the group is as it was
    CHECK(sums.rows == 12);
  });
}

TEST_CASE("hone::shard without numbers is a tensor that is not cut: as hone::replicated") {
  on_ranks(3, [](auto const& ranks) {
    std::vector<float> g{3, 4};
    hone::sharded_list<float> list;
    list.push_back(g, hone::shard{});
    CHECK(hone::transform(hone::cpu(1), hone::clip_by_global_norm(1), list, ranks).norm == 5);
    CHECK(g[0] == doctest::Approx(0.6));
    hone::sharded_list<float> bad;
    bad.push_back(g, hone::shard{.replica = -1});
    CHECK_THROWS_WITH(hone::measure(hone::cpu(1), hone::clip_by_global_norm(1), bad, ranks),
                      "measure: tensor 0 of gradients is replica -1, must be at least 0");
  });
}

TEST_CASE("shard_of cuts evenly, in blocks") {
  for (const index whole : {0, 1, 1023, 1024, 1025, 5000, 1 << 20, (1 << 20) + 1})
    for (const index n : {1, 2, 3, 7, 64}) {
      index next = 0, most = 0, fewest = whole;
      for (index r = 0; r < n; ++r) {
        const auto [first, count] = hone::shard_of(whole, r, n);
        CHECK(first == next);
        CHECK((count == 0 || first % hone::shard_block == 0));
        next = first + count, most = std::max(most, count), fewest = std::min(fewest, count);
      }
      CHECK(next == whole);
      CHECK(most - fewest <= 2 * hone::shard_block);
    }
  CHECK(support::message([] { hone::shard_of(-1, 0, 1); }) ==
        "shard_of: whole is -1, must be at least 0, and no more than memory can hold");
  CHECK(support::message([] { hone::shard_of(1, 2, 2); }) == "shard_of: rank is 2, must be in [0, ranks)");
}

}  // namespace
