// SPDX-License-Identifier: MIT
// What exact sums over ranks cost: hone::self beside the ordinary verbs, and two ranks as threads beside two threads.
// Google Benchmark, with its options:
//   hone_ranks_bench --benchmark_filter=self/clip
// pairs.hpp says what the counters are.
#include "step.hpp"

#include <hone/distributed/thread_group.hpp>

#include <memory>
#include <random>
#include <span>
#include <string>

namespace {

using hone::index;

std::vector<float> normal_numbers(index n, unsigned seed = 1) {
  std::vector<float> x(static_cast<std::size_t>(n));
  std::minstd_rand random(seed);
  std::normal_distribution<float> normal;
  for (float& v : x) v = normal(random);
  return x;
}

/// Clips a list; the loss scale is 2 and 1/2 in turns, so that all numbers are written and none grows.
void add_clip(std::string const& name, int turns, index rows, index columns, bool by_rows) {
  bench::add_pairs("self/" + name, turns, [=] {
    const auto g = std::make_shared<std::vector<float>>(normal_numbers(rows * columns));
    hone::sharded_list<float> list;
    if (by_rows)
      list.push_back({g->data(), rows, columns}, hone::row_shard{0, rows});
    else
      list.push_back(*g, hone::shard{0, rows * columns});
    const auto both_ways = [](auto const& clip) {
      for (const double scale : {2.0, 0.5}) clip(hone::chain(hone::unscale(scale), hone::clip_by_global_norm(1e30)));
    };
    return bench::in_turns(
        [=] { both_ways([&](auto const& chain) { hone::transform(hone::cpu(1), chain, list.tensors()); }); },
        [=, keep = g] {
          both_ways([&](auto const& chain) { hone::transform(hone::cpu(1), chain, list, hone::self()); });
        });
  });
}

/// Evaluates an objective of (target data, labels) with its gradient, over the only rank and without ranks.
template <class Objective>
void add_evaluate(std::string const& name, index rows, index columns, Objective const& objective) {
  bench::add_pairs("self/" + name + "/" + std::to_string(rows) + "x" + std::to_string(columns), 41, [=] {
    struct data {
      std::vector<float> z, g, targets;
      std::vector<int> labels;
    };
    const auto d = std::make_shared<data>();
    d->z = normal_numbers(rows * columns), d->g = d->z, d->targets = normal_numbers(rows * columns, 2);
    for (index i = 0; i < rows; ++i) d->labels.push_back(int(i * 7 % columns));
    if (columns != 4)  // probabilities
      for (float& x : d->targets) x = 1 / (1 + std::exp(-x));
    for (index i = 0; i + 3 < rows * columns && columns == 4; i += 4)  // boxes by corners
      for (auto* x : {&d->z, &d->targets})
        for (std::size_t k = 2; k < 4; ++k)
          (*x)[std::size_t(i) + k] = (*x)[std::size_t(i) + k - 2] + 1 + std::abs((*x)[std::size_t(i) + k]);
    const auto evaluate = [=](auto const&... how) {
      hone::evaluate(hone::cpu(1),
                     objective(hone::matrix_view<const float>{d->targets.data(), rows, columns}, d->labels),
                     hone::matrix_view{d->z.data(), rows, columns}, {.gradient = {d->g.data(), rows, columns}}, how...);
    };
    const auto over = hone::over_ranks(hone::self(), hone::mean, hone::rank_gradients::summed);
    return bench::in_turns([=] { evaluate(); }, [=] { evaluate(over); });
  });
}

/// Runs a turn on two ranks and returns the slower times.
template <class Body>
bench::pair_of_times on_two_ranks(Body const& body) {
  bench::pair_of_times of[2] = {};
  hone::run_ranks(2, [&](auto const& ranks) { of[ranks.rank()] = body(ranks); });
  return {std::max(of[0].ordinary, of[1].ordinary), std::max(of[0].over_ranks, of[1].over_ranks)};
}

void add_step(index rows, index numbers) {
  bench::add_pairs("two_ranks/step/" + std::to_string(rows) + "x1000/" + std::to_string(numbers), 15, [=] {
    const auto data = std::make_shared<std::vector<bench::step_of_rank>>();
    for (int r = 0; r < 2; ++r) data->emplace_back(rows, numbers / 2, r, 2);
    return [=] {
      return on_two_ranks(
          [&](auto const& ranks) { return bench::time_step((*data)[std::size_t(ranks.rank())], ranks, 5); });
    };
  });
}

/// Two ranks with half the classes and one thread each, beside one call with two threads.
void add_classes(index rows, index classes) {
  bench::add_pairs("two_ranks/classes/" + std::to_string(rows) + "x" + std::to_string(classes), 15, [=] {
    struct data {
      std::vector<float> z, g, halves[2], of_half[2];
      std::vector<int> labels;
    };
    const auto d = std::make_shared<data>();
    const index half = classes / 2;
    d->z = normal_numbers(rows * classes), d->g = d->z;
    for (std::size_t r = 0; r < 2; ++r)
      d->halves[r] = normal_numbers(rows * half, unsigned(r)), d->of_half[r] = d->halves[r];
    for (index i = 0; i < rows; ++i) d->labels.push_back(int(i * 7 % classes));
    return [=] {
      const hone::cpu both(2);
      const auto loss = hone::cross_entropy(hone::smooth(hone::classes(d->labels), 0.1));
      const double ordinary = bench::seconds_of([&] {
        for (int k = 0; k < 5; ++k)
          hone::evaluate(both, loss, hone::matrix_view{d->z.data(), rows, classes},
                         {.gradient = {d->g.data(), rows, classes}});
      });
      const bench::pair_of_times cut = on_two_ranks([&](auto const& ranks) {
        const auto r = static_cast<std::size_t>(ranks.rank());
        const hone::cpu cpu(1);
        ranks.barrier();
        return bench::pair_of_times{0, bench::seconds_of([&] {
                                      for (int k = 0; k < 5; ++k)
                                        hone::evaluate(
                                            cpu, loss,
                                            hone::class_shard{hone::matrix_view{d->halves[r].data(), rows, half},
                                                              index(r) * half, classes, ranks},
                                            {.gradient = {d->of_half[r].data(), rows, half}});
                                    })};
      });
      return bench::pair_of_times{ordinary / 5, cut.over_ranks / 5};
    };
  });
}

/// Synchronised batch normalisation, forward, beside that of one process.
void add_batch_norm(index images, index channels, index side) {
  const index numbers = images * channels * side * side;
  bench::add_pairs(
      "self/batch_norm/" + std::to_string(images) + "x" + std::to_string(channels) + "x" + std::to_string(side * side),
      15, [=] {
        struct data {
          std::vector<float> x, y, scale, shift;
          std::vector<hone::channel_statistics> of;
        };
        const auto d = std::make_shared<data>();
        d->x = normal_numbers(numbers), d->y = d->x;
        d->scale.assign(std::size_t(channels), 1), d->shift.assign(std::size_t(channels), 0);
        d->of.resize(std::size_t(channels));
        const hone::image_view<const float> x{d->x.data(), images, channels, side, side};
        const hone::image_view<float> y{d->y.data(), images, channels, side, side};
        return bench::in_turns(
            [=, keep = d] {
              const hone::cpu cpu(1);
              for (auto& s : keep->of) s = {};
              hone::measure_channels(cpu, x, keep->of);
              std::vector<float> mean, variance;
              for (auto const& s : keep->of) mean.push_back(float(s.mean)), variance.push_back(float(s.m2 / s.count));
              hone::frozen_batch_norm(
                  cpu, x, {.mean = mean, .variance = variance, .scale = keep->scale, .shift = keep->shift}, y);
            },
            [=, keep = d] {
              hone::batch_norm(hone::cpu(1), hone::self(), x, {.scale = keep->scale, .shift = keep->shift}, keep->of,
                               y);
            });
      });
}

/// The checksum of equal replicas, beside the norm of the same numbers.
void add_checksum(index n) {
  bench::add_pairs("self/checksum/" + std::to_string(n), 15, [=] {
    const auto x = std::make_shared<std::vector<float>>(normal_numbers(n));
    const hone::tensor_list<float> list{{x->data(), n}};
    return bench::in_turns([=, keep = x] { hone::measure(hone::cpu(1), hone::clip_by_global_norm(1), list); },
                           [=] { hone::require_equal_replicas(hone::cpu(1), hone::self(), list); });
  });
}

}  // namespace

int main(int argc, char** argv) {
  add_clip("clip/1e6", 101, 1, 1000000, false);
  add_clip("clip/1e7", 31, 1, 10000000, false);
  add_clip("clip/25e6", 15, 1, 25000000, false);
  add_clip("clip_of_rows/1302x768", 101, 1302, 768, true);
  add_clip("clip_of_rows/32552x768", 15, 32552, 768, true);
  const auto cross_entropy = [](auto, auto const& labels) {
    return hone::cross_entropy(hone::smooth(hone::classes(labels), 0.1));
  };
  add_evaluate("cross_entropy", 256, 1000, cross_entropy);
  add_evaluate("cross_entropy", 8192, 1000, cross_entropy);
  add_evaluate("cross_entropy", 65536, 10, cross_entropy);
  add_evaluate("softmax_focal_loss", 8192, 100,
               [](auto, auto const& labels) { return hone::softmax_focal_loss(hone::classes(labels)); });
  const auto binary = [](auto targets, auto const&) { return hone::binary_cross_entropy(targets); };
  add_evaluate("binary_cross_entropy", 8192, 80, binary);
  add_evaluate("binary_cross_entropy", 655360, 1, binary);
  add_evaluate("sigmoid_focal_loss", 8192, 80,
               [](auto targets, auto const&) { return hone::sigmoid_focal_loss(targets); });
  add_evaluate("giou_loss", 65536, 4, [](auto targets, auto const&) { return hone::giou_loss(targets); });
  add_batch_norm(16, 64, 56);
  add_checksum(25000000);
  add_step(256, 1000000);
  add_step(256, 25000000);
  add_classes(1024, 32000);
  benchmark::Initialize(&argc, argv);
  benchmark::RunSpecifiedBenchmarks();
}
