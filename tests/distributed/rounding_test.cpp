// SPDX-License-Identifier: MIT
// Stochastic rounding of replicas and of shards: what is expected are the bits of one process with the whole model.
#include <hone/hone.hpp>

#include "../support/message.hpp"
#include "../support/numbers.hpp"
#include "../support/ranks.hpp"
#include "../support/same_bytes.hpp"

#include <doctest/doctest.h>

#include <cstdint>
#include <vector>

namespace {

using hone::index, hone::stochastic_rounding;
using support::error_of;
using bfloat16 = Eigen::bfloat16;

const hone::cpu cpu(2);

struct sgd {
  double rate, momentum;
  template <hone::operand V>
  void operator()(V const& g, V& p, V& m) const {
    m = V(momentum) * m + g, p -= V(rate) * m;
  }
};

template <class T>
std::vector<T> numbers(index n, index seed) {
  std::vector<T> v;
  v.reserve(static_cast<std::size_t>(n));
  for (index i = 0; i < n; ++i) v.push_back(static_cast<T>(static_cast<float>(support::noise(seed + i))));
  return v;
}
template <class T>
bool same(std::vector<T> const& a, std::vector<T> const& b) {
  return a.size() == b.size() && support::same_bytes(a.data(), b.data(), a.size() * sizeof(T));
}

/// A model of a flat tensor, two matrices, of which one is cut by rows and one by columns, and a tensor that is whole
/// and has a second name.
constexpr index flat = 5003, rows = 5, columns = 37, bias = 10, tensors = 4;
constexpr index sizes[tensors] = {flat, rows* columns, rows* columns, bias};

template <class T>
std::vector<std::vector<T>> model(index seed) {
  std::vector<std::vector<T>> whole;
  whole.reserve(tensors);
  for (index t = 0; t < tensors; ++t) whole.push_back(numbers<T>(sizes[t], seed + 10000 * t));
  return whole;
}
template <class T>
hone::tensor_list<T> list_of(std::vector<std::vector<T>>& whole) {
  hone::tensor_list<T> list;
  list.reserve(tensors + 1);
  for (auto& t : whole) list.push_back(t);
  list.push_back({whole[3].data(), 0});  // the second name
  return list;
}

/// What a rank has of the model, cut to the number, the row and the column: some ranks have no rows.
struct cut {
  index rank, ranks;

  hone::shard_range of(index whole) const {
    const index first = whole * rank / ranks;
    return {first, whole * (rank + 1) / ranks - first};
  }
  template <class T>
  std::vector<std::vector<T>> parts(std::vector<std::vector<T>> const& whole) const {
    const auto [first, count] = of(flat);
    const auto [first_row, own_rows] = of(rows);
    const auto [first_column, own_columns] = of(columns);
    std::vector<std::vector<T>> own(tensors);
    own[0].assign(whole[0].begin() + first, whole[0].begin() + first + count);
    own[1].assign(whole[1].begin() + first_row * columns, whole[1].begin() + (first_row + own_rows) * columns);
    for (index r = 0; r < rows; ++r) {
      const auto begin = whole[2].begin() + r * columns + first_column;
      own[2].insert(own[2].end(), begin, begin + own_columns);
    }
    own[3] = whole[3];
    return own;
  }
  template <class T>
  hone::sharded_list<T> list(std::vector<std::vector<T>>& own) const {
    hone::sharded_list<T> list;
    list.push_back({own[0].data(), of(flat).count}, hone::shard{.first = of(flat).first, .whole = flat});
    list.push_back({own[1].data(), of(rows).count, columns}, hone::row_shard{.first = of(rows).first, .rows = rows});
    list.push_back({own[2].data(), rows, of(columns).count},
                   hone::column_shard{.first = of(columns).first, .columns = columns});
    list.push_back(own[3], hone::replicated);
    list.push_back(own[3], hone::tied);
    return list;
  }
};

TEST_CASE("fault 25: replicas that are rounded stochastically stay equal, with other numbers of threads on each rank") {
  for (const int n : numbers_of_ranks)
    on_ranks(n, [](auto const& ranks) {
      const hone::cpu own(1 + ranks.rank() % 3);
      auto p = model<bfloat16>(0);
      auto m = model<float>(1), g = model<float>(2);
      const auto parameters = list_of(p);
      const auto momenta = list_of(m), gradients = list_of(g);  // as after the sum over ranks
      for (int step = 0; step < 5; ++step) {
        hone::step(own, hone::clip_by_global_norm(1), sgd{0.01, 0.5}, gradients,
                   hone::rounded_by({.seed = 1, .step = step}, parameters), momenta);
        hone::require_equal_replicas(own, ranks, parameters);
      }
      const hone::master_weights<float> masters(parameters);
      hone::copy(own, momenta, masters.tensors());
      hone::refresh(own, masters, parameters, stochastic_rounding{.seed = 1, .step = 5});
      hone::require_equal_replicas(own, ranks, parameters);
      if (ranks.size() == 1) return;
      hone::refresh(own, masters, parameters, stochastic_rounding{.seed = ranks.rank(), .step = 6});  // what is wrong
      CHECK_THROWS_AS(hone::require_equal_replicas(own, ranks, parameters), hone::replica_error);
    });
}

TEST_CASE("fault 25: refresh of shards gives the bits of the whole model, for every cut") {
  const stochastic_rounding rounding{.seed = 3, .step = 77};
  auto whole = model<bfloat16>(0);
  auto wide = model<float>(5);
  const auto all = list_of(whole);
  const hone::master_weights<float> of_whole(all);
  hone::copy(cpu, list_of(wide), of_whole.tensors());
  hone::refresh(cpu, of_whole, all, rounding);
  for (const int n : numbers_of_ranks)
    on_ranks(n, [&](auto const& ranks) {
      const cut mine{ranks.rank(), ranks.size()};
      auto p = mine.parts(model<bfloat16>(0));
      auto w = mine.parts(wide);
      const auto parameters = mine.list(p);
      const hone::master_weights<float> masters(parameters.tensors());
      hone::copy(cpu, mine.list(w).tensors(), masters.tensors());
      hone::refresh(cpu, masters, parameters, rounding);
      const auto expected = mine.parts(whole);
      for (std::size_t t = 0; t < tensors; ++t) CHECK(same(p[t], expected[t]));
    });
}

TEST_CASE("fault 25: a resume of shards, on any number of ranks, rounds as the whole model did in one run") {
  constexpr int steps = 6;
  const auto rounding_of = [](int step) { return stochastic_rounding{.seed = 9, .step = step, .first_tensor = 6}; };
  const auto gradients_of = [](int step) { return model<float>(index(100) * (step + 1)); };
  auto whole = model<bfloat16>(0), saved = whole;
  auto momenta_of_whole = model<float>(1), saved_momenta = momenta_of_whole;
  for (int step = 0; step < steps; ++step) {
    if (step == 2) saved = whole, saved_momenta = momenta_of_whole;
    auto g = gradients_of(step);
    const auto parameters = list_of(whole);
    hone::step(cpu, hone::unscale(2), sgd{0.125, 0.5}, list_of(g), hone::rounded_by(rounding_of(step), parameters),
               list_of(momenta_of_whole));
  }
  for (const int n : numbers_of_ranks)
    on_ranks(n, [&](auto const& ranks) {
      const cut mine{ranks.rank(), ranks.size()};
      auto p = mine.parts(saved);
      auto m = mine.parts(saved_momenta);
      const auto parameters = mine.list(p);
      const auto momenta = mine.list(m);
      for (int step = 2; step < steps; ++step) {
        auto g = mine.parts(gradients_of(step));
        if (step % 2 == 0)
          hone::step(cpu, hone::unscale(2), sgd{0.125, 0.5}, mine.list(g), ranks,
                     hone::rounded_by(rounding_of(step), parameters), momenta.tensors());
        else  // tensors that lie as the gradients do
          hone::step(cpu, hone::unscale(2), sgd{0.125, 0.5}, mine.list(g), ranks,
                     hone::rounded_by(rounding_of(step), parameters.tensors()), momenta.tensors());
      }
      const auto expected = mine.parts(whole);
      for (std::size_t t = 0; t < tensors; ++t) CHECK(same(p[t], expected[t]));
    });
}

TEST_CASE("a step over ranks of whole tensors rounds as a step without ranks") {
  for (const int n : numbers_of_ranks)
    on_ranks(n, [](auto const& ranks) {
      auto p = model<bfloat16>(0), q = p;
      auto m = model<float>(1), of_q = m, g = model<float>(2);
      const auto first = list_of(p), second = list_of(q);
      hone::step(cpu, hone::clip_by_global_norm(1), sgd{0.1, 0.5}, list_of(g), ranks,
                 hone::rounded_by({.seed = 2, .step = 3}, first), list_of(m));
      hone::step(cpu, hone::clip_by_global_norm(1), sgd{0.1, 0.5}, list_of(g),
                 hone::rounded_by({.seed = 2, .step = 3}, second), list_of(of_q));
      for (std::size_t t = 0; t < tensors; ++t) CHECK(same(p[t], q[t]));
    });
}

TEST_CASE("a rounding that is wrong on one rank is an error of all, and nothing is written") {
  on_ranks(3, [](auto const& ranks) {
    std::vector<bfloat16> p(4, bfloat16(1.0f));
    std::vector<float> g(4, 1), m(4, 1);
    hone::sharded_list<bfloat16> parameters, outside;
    hone::sharded_list<float> gradients;
    parameters.push_back(p, hone::shard{4 * ranks.rank(), 12});
    outside.push_back(p, hone::shard{ranks.rank() == 1 ? 9 : 0, 12});
    gradients.push_back(g, hone::shard{4 * ranks.rank(), 12});
    const auto step = [&](hone::integer first_tensor, hone::sharded_list<bfloat16> const& list) {
      return error_of([&] {
        hone::step(cpu, hone::unscale(1), sgd{0.1, 0.5}, gradients, ranks,
                   hone::rounded_by({.first_tensor = first_tensor}, list), hone::tensor_list<float>{m});
      });
    };
    CHECK(step(ranks.rank() == 1 ? -1 : 0, parameters) ==
          (ranks.rank() == 1 ? "step: first_tensor is -1, must be in [0, 2^32)" : "step: rank 1 of 3 failed"));
    CHECK(step(0, outside) == (ranks.rank() == 1 ? "step: tensor 0 of parameters is numbers [9, 9 + 4) of 12, must lie "
                                                   "within"
                                                 : "step: rank 1 of 3 failed"));
    for (const bool by_step : {false, true})
      CHECK(error_of([&] {
              const index own = ranks.rank() == 2 ? 7 : 6;
              hone::step(cpu, hone::unscale(1), sgd{0.1, 0.5}, gradients, ranks,
                         hone::rounded_by({.seed = by_step ? 1 : own, .step = by_step ? own : 1}, parameters),
                         hone::tensor_list<float>{m});
            }) == "step: the steps, the scale of the loss or the rounding are not the same on all ranks");
    const hone::master_weights<float> masters(parameters.tensors());
    masters.tensors()[0].data[0] = 2;
    CHECK(error_of([&] { hone::refresh(cpu, masters, outside, {}); }) ==
          (ranks.rank() == 1 ? "refresh: tensor 0 of parameters is numbers [9, 9 + 4) of 12, must lie within" : ""));
    if (ranks.rank() == 1)
      for (const bfloat16 x : p) CHECK(static_cast<float>(x) == 1);
  });
}

TEST_CASE("draws of ranks: each rank has its own, the same again in a resume and on every transport") {
  for (const int n : numbers_of_ranks)
    on_ranks(n, [n](auto const& ranks) {
      const auto seed = hone::seed_of_rank(5, ranks.rank());
      const auto draw = hone::mixup{.alpha = 1}.draw(seed, 10, 16), again = hone::mixup{.alpha = 1}.draw(seed, 10, 16);
      CHECK(draw.lambda == again.lambda);
      CHECK(draw.partner == again.partner);
      for (int r = 0; r < n; ++r) {  // the draws of the others, by their numbers alone
        const auto of_r = hone::mixup{.alpha = 1}.draw(hone::seed_of_rank(5, r), 10, 16);
        CHECK((of_r.lambda == draw.lambda) == (r == ranks.rank()));
        std::vector<float> sent = draw.lambda;
        ranks.broadcast(std::as_writable_bytes(std::span(sent)), r);
        CHECK(sent == of_r.lambda);
      }
    });
}

}  // namespace
