// SPDX-License-Identifier: MIT
/// A step of training on several ranks, of one thread each, with hone's sums over ranks and without: the loss of a
/// batch, and clipping, SGD and an average of sharded parameters. The trainer's own sum of gradients is not in it.
#pragma once

#include "pairs.hpp"

#include <hone/hone.hpp>

#include <cmath>
#include <cstdint>
#include <vector>

namespace bench {

struct step_of_rank {
  hone::index rows, classes = 1000, numbers;
  std::vector<float> z, dz, g, p;
  std::vector<std::int64_t> labels;
  hone::sharded_list<float> gradients;
  hone::ema_state<float> shadow;

  /// A rank has `rows_` rows and `numbers_` of the numbers of all ranks.
  step_of_rank(hone::index rows_, hone::index numbers_, int rank, int ranks)
      : rows(rows_),
        numbers(numbers_),
        z(std::size_t(rows * classes)),
        dz(z.size()),
        g(std::size_t(numbers)),
        p(std::size_t(numbers), 1.0f),
        shadow(hone::tensor_list<float>{p}) {
    for (std::size_t i = 0; i < z.size(); ++i) z[i] = 3 * std::sin(float(i));
    for (std::size_t i = 0; i < g.size(); ++i) g[i] = std::sin(float(i) * 0.7f);
    for (hone::index i = 0; i < rows; ++i) labels.push_back(i * 7 % classes);
    gradients.push_back(g, hone::shard{numbers * rank, numbers * ranks});
  }
  template <class... How>
  double loss(hone::cpu const& cpu, How const&... how) {
    return hone::evaluate(cpu, hone::cross_entropy(hone::smooth(hone::classes(labels), 0.1)),
                          hone::matrix_view{z.data(), rows, classes}, {.gradient = {dz.data(), rows, classes}}, how...);
  }
  template <class... Ranks>
  void step(hone::cpu const& cpu, Ranks const&... ranks) {
    const auto sgd = [](auto const& gradient, auto& parameter) {
      parameter -= std::remove_reference_t<decltype(parameter)>(1e-6) * gradient;
    };
    const hone::tensor_list<float> parameters{p};
    const auto average = hone::averaged_in(hone::ema{.decay = 0.999}, shadow);
    if constexpr (sizeof...(Ranks) == 0)
      hone::step(cpu, hone::clip_by_global_norm(1), sgd, gradients.tensors(), parameters, average);
    else
      hone::step(cpu, hone::clip_by_global_norm(1), sgd, gradients, ranks..., parameters, average);
  }
};

/// One turn on a rank of a group. The ranks begin together; the time is until the last one is done.
template <class C>
pair_of_times time_step(step_of_rank& of, C const& ranks, int steps) {
  const hone::cpu cpu(1);
  const auto time = [&](auto const& f) {
    ranks.barrier();
    return seconds_of([&] {
             for (int k = 0; k < steps; ++k) f();
             ranks.barrier();
           }) /
           steps;
  };
  const auto over = hone::over_ranks(ranks, hone::mean, hone::rank_gradients::summed);
  pair_of_times t{};
  t.ordinary = time([&] { of.loss(cpu), of.step(cpu); });
  t.over_ranks = time([&] { of.loss(cpu, over), of.step(cpu, ranks); });
  return t;
}

}  // namespace bench
