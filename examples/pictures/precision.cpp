// SPDX-License-Identifier: MIT
#include "drawing.hpp"
#include "pictures.hpp"

#include <hone/hone.hpp>

#include <cmath>
#include <random>

namespace pictures {

std::string rounding() {
  constexpr int steps = 1000, seeds = 3;
  const hone::cpu cpu(1);
  drawing d(720, 320, "A weight of 1 that grows by 0.0001 in each of 1000 steps");
  const panel p{55, 30, 480, 210, 0, steps, 0.98, 1.12};
  d.axes(p, "weight", ticks(0, steps, 250), ticks(0.98, 1.12, 0.02), "step");
  std::vector<series> all{{"float", 0, {}, true},
                          {"bfloat16 alone", 3, {}},
                          {"master_weights, refresh", 1, {}},
                          {"stochastic_rounding, three seeds", 2, {}}};
  Eigen::bfloat16 bare(1.0f), stored(1.0f);
  const hone::tensor_list<Eigen::bfloat16> parameters{{&stored, 1}};
  const hone::master_weights<float> masters(parameters);
  std::vector<Eigen::bfloat16> random(seeds, Eigen::bfloat16(1.0f));
  std::vector<series> paths(seeds, all[3]);
  float exact = 1;
  for (int step = 0; step < steps; ++step) {
    all[0].points.push_back({double(step), double(exact)});
    all[1].points.push_back({double(step), static_cast<double>(bare)});
    all[2].points.push_back({double(step), static_cast<double>(stored)});
    exact += 1e-4f;
    bare = Eigen::bfloat16(static_cast<float>(bare) + 1e-4f);
    masters.tensors()[0].data[0] += 1e-4f;
    hone::refresh(cpu, masters, parameters);
    for (int seed = 0; seed < seeds; ++seed) {
      const auto s = static_cast<std::size_t>(seed);
      paths[s].points.push_back({double(step), static_cast<double>(random[s])});
      const hone::tensor_list<Eigen::bfloat16> one{{&random[s], 1}};
      hone::for_each_number(
          cpu, [](float& w) { w += 1e-4f; },
          hone::rounded_by(hone::stochastic_rounding{.seed = seed + 1, .step = step}, one));
    }
  }
  for (const series& s : paths) d.curve(p, s);
  for (int i = 0; i < 3; ++i) d.curve(p, all[std::size_t(i)]);
  d.legend(40, 300, all);
  return d.svg();
}

std::string loss_scaling() {
  // Gradients whose logarithms are normal: about a quarter of them is below the least number of `half`.
  constexpr int count = 20000;
  std::mt19937_64 random(1);
  std::vector<double> gradients;
  for (int i = 0; i < count; ++i) {
    double sum = -6;  // of uniform numbers, so that every standard library draws the same
    for (int k = 0; k < 12; ++k) sum += static_cast<double>(random() >> 11) * 0x1p-53;
    gradients.push_back(std::exp2(-22 + 5 * sum));
  }
  std::vector<series> shares{{"becomes 0", 1, {}}, {"overflows", 3, {}}};
  for (int k = 0; k <= 32; ++k) {
    int lost = 0, infinite = 0;
    for (const double g : gradients) {
      const float scaled = static_cast<float>(Eigen::half(static_cast<float>(std::exp2(k) * g)));
      lost += scaled == 0;
      infinite += std::isinf(scaled);
    }
    shares[0].points.push_back({double(k), 100.0 * lost / count});
    shares[1].points.push_back({double(k), 100.0 * infinite / count});
  }
  // A scaler on steps whose largest gradient varies: it is not finite above 65504.
  hone::loss_scaler scaler{.initial = 65536, .growth = 2, .backoff = 0.5, .interval = 40};
  series scale{"scale", 2, {}}, limit{"65504 over the largest gradient", 0, {}, true};
  for (int step = 0; step < 600; ++step) {
    const double largest = std::exp2(-4 + 3 * std::sin(step / 60.0) + (step % 97 == 96 ? 6 : 0));
    scale.points.push_back({double(step), std::log2(scaler.scale())});
    limit.points.push_back({double(step), std::log2(65504 / largest)});
    scaler.update(scaler.scale() * largest <= 65504);
  }
  drawing d(720, 320, "Loss scaling");
  const panel a{40, 30, 290, 210, 0, 32, 0, 30}, b{405, 30, 300, 210, 0, 600, 10, 26};
  d.axes(a, "gradients in half, %", ticks(0, 32, 8), ticks(0, 30, 10), "logarithm of the scale");
  d.axes(b, "logarithm of the scale", ticks(0, 600, 100), ticks(10, 26, 4), "step");
  for (const series& s : shares) d.curve(a, s);
  d.curve(b, limit);
  d.curve(b, scale);
  d.legend(40, 306, {shares[0], shares[1], limit, scale});
  return d.svg();
}

std::string accumulation() {
  // Four micro-batches of eight rows, of which 8, 4, 2 and 1 have a label; all logits are 0.
  constexpr int parts = 4, rows = 8, classes = 2, ignored = -100;
  const int counted[parts] = {8, 4, 2, 1};
  const hone::cpu cpu(1);
  std::vector<point> means, shares;
  hone::index total = 0;
  for (const int n : counted) total += n;
  for (int part = 0; part < parts; ++part) {
    std::vector<int> labels(rows, ignored);
    for (int i = 0; i < counted[part]; ++i) labels[static_cast<std::size_t>(i)] = 0;
    const std::vector<double> logits(rows * classes);
    const auto gradient_of_a_row = [&](auto reduction) {
      std::vector<double> gradient(logits.size());
      hone::evaluate(cpu, hone::cross_entropy(hone::classes(labels, {.ignore = ignored})),
                     hone::matrix_view{logits.data(), rows, classes}, {.gradient = {gradient.data(), rows, classes}},
                     reduction);
      return 2 * gradient[1];  // of a wrong class: half a row's weight
    };
    means.push_back({part - 0.2, gradient_of_a_row(hone::mean) / parts});
    shares.push_back({part + 0.2, gradient_of_a_row(hone::mean_over(total))});
  }
  drawing d(720, 300, "The weight of one row in the gradient of four micro-batches");
  const panel p{55, 30, 480, 195, -0.5, 3.5, 0, 0.3};
  d.axes(p, "weight of a row", {{0, "8 rows"}, {1, "4 rows"}, {2, "2 rows"}, {3, "1 row"}}, ticks(0, 0.3, 0.05),
         "micro-batches, by their rows that have a label");
  d.bars(p, means, 0.36, 0);
  d.bars(p, shares, 0.36, 2);
  d.legend(40, 288, {{"the mean of four means", 0, {}}, {"mean_over(15)", 2, {}}});
  return d.svg();
}

std::string averages_of_updates() {
  // Parameter t is 1 at update t and 0 otherwise: its average is how much that update counts.
  constexpr int updates = 100;
  const hone::cpu cpu(1);
  const auto weights = [&](const auto& average) {
    std::vector<double> now(updates);
    const hone::tensor_list<double> parameters{{now.data(), updates}};
    hone::ema_state<double> shadow(parameters);
    for (std::size_t t = 0; t < updates; ++t) {
      now.assign(updates, 0.0);
      now[t] = 1;
      hone::update(cpu, average, shadow, parameters);
    }
    std::vector<point> points;
    for (int t = 0; t < updates; ++t) points.push_back({t + 1.0, 100 * shadow.tensors()[0].data[t]});
    return points;
  };
  const std::vector<series> all{
      {"swa", 1, weights(hone::swa{})},
      {"ema, decay 0.95", 2, weights(hone::ema{.decay = 0.95})},
      {"ema, decay 0.99: the first weights have the rest", 3, weights(hone::ema{.decay = 0.99})}};
  drawing d(720, 310, "What each of 100 updates counts in an average");
  const panel p{40, 30, 480, 210, 0, updates, 0, 5};
  d.axes(p, "part of the average, %", ticks(0, updates, 20), ticks(0, 5, 1), "update");
  for (const series& s : all) d.curve(p, s);
  d.legend(40, 300, all);
  return d.svg();
}

}  // namespace pictures
