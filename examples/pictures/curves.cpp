// SPDX-License-Identifier: MIT
#include "drawing.hpp"
#include "pictures.hpp"

#include <hone/cpu.hpp>
#include <hone/policies.hpp>

#include <algorithm>
#include <cmath>

namespace pictures {
namespace {

template <class Schedule>
std::vector<point> rates(const Schedule& schedule, int from, int to) {
  std::vector<point> all;
  for (int step = from; step <= to; step += std::max(1, (to - from) / 200))
    all.push_back({static_cast<double>(step), schedule.rate(step)});
  return all;
}

void draw(drawing& d, const panel& p, const std::vector<series>& all) {
  for (const series& s : all) d.curve(p, s);
}

/// Numbers of [0, 1), the same on every machine.
struct numbers_of_unit {
  std::uint64_t state;
  double operator()() {
    state = state * 6364136223846793005u + 1442695040888963407u;
    return static_cast<double>(state >> 11) * 0x1p-53;
  }
};

}  // namespace

std::string schedules() {
  constexpr int total = 1000;
  const std::vector<series> left{
      {"cosine", 1, rates(hone::cosine{.peak = 1, .total = total}, 0, total)},
      {"warmup_cosine", 2, rates(hone::warmup_cosine{.peak = 1, .warmup = 100, .total = total}, 0, total)},
      {"cosine_k_decay, k = 2", 3, rates(hone::cosine_k_decay{.peak = 1, .k = 2, .total = total}, 0, total)},
      {"cosine_restarts", 4, rates(hone::cosine_restarts{.peak = 1, .period = 143, .factor = 2}, 0, total)}};
  const std::vector<series> right{
      {"one_cycle", 1, rates(hone::one_cycle{.start = 0.04, .peak = 1, .rise = 300, .total = total}, 0, total), true},
      {"wsd", 2, rates(hone::wsd{.peak = 1, .warmup = 100, .decay = 300, .total = total}, 0, total), true},
      {"polynomial, power 2", 3, rates(hone::polynomial{.peak = 1, .power = 2, .total = total}, 0, total), true},
      {"step_decay, factor 0.3", 4, rates(hone::step_decay{.peak = 1, .factor = 0.3, .period = 300}, 0, total), true},
      {"inverse_square_root", 5, rates(hone::inverse_square_root{.peak = 1, .warmup = 100}, 0, total), true}};
  drawing d(720, 330, "Schedules of a thousand steps");
  const panel a{40, 30, 300, 210, 0, total, 0, 1}, b{405, 30, 300, 210, 0, total, 0, 1};
  d.axes(a, "cosines", ticks(0, total, 250), ticks(0, 1, 0.25), "step");
  d.axes(b, "others", ticks(0, total, 250), ticks(0, 1, 0.25), "step");
  draw(d, a, left);
  draw(d, b, right);
  d.legend(40, 300, left);
  d.legend(40, 318, right);
  return d.svg();
}

std::string warm_ups() {
  namespace parity = hone::parity;
  constexpr int total = 100, warmup = 20;
  const std::vector<series> all{
      {"hone warmup_cosine, optax", 1, rates(hone::warmup_cosine{.peak = 1, .warmup = warmup, .total = total}, 0, 140)},
      {"timm: the cosine underneath", 2,
       rates(parity::timm_cosine{.lr = 1, .t_initial = total, .warmup_t = warmup}, 0, 140)},
      {"Keras: decay steps beside the warm-up", 3,
       rates(parity::keras_cosine_decay({.decay_steps = total, .warmup_target = 1, .warmup_steps = warmup}), 0, 140)},
      {"PyTorch: rises again", 4, rates(parity::torch_cosine_annealing{.base_lr = 1, .T_max = total}, 0, 140), true},
      {"llm.c: begins at 1/W", 5,
       rates(parity::llmc_cosine({.learning_rate = 1, .warmup_iterations = warmup, .train_num_batches = total}), 0,
             140),
       true}};
  drawing d(720, 330, "What five libraries mean by a cosine of 100 steps with a warm-up of 20");
  const panel a{40, 30, 300, 210, 0, 140, 0, 1}, b{405, 30, 300, 210, 0, 40, 0.6, 1};
  d.axes(a, "rate", ticks(0, 140, 20), ticks(0, 1, 0.25), "step");
  d.axes(b, "the end of the warm-up", ticks(0, 40, 10), ticks(0.6, 1, 0.1), "step");
  draw(d, a, all);
  draw(d, b, all);
  d.legend(40, 300, all);
  return d.svg();
}

std::string large_batch_rates() {
  std::vector<series> rules{{"linear_scaled_rate", 1, {}}, {"sqrt_scaled_rate", 2, {}}};
  for (int k = 5; k <= 13; ++k) {
    const double x = k, batch = std::exp2(k);
    rules[0].points.push_back({x, std::log10(hone::linear_scaled_rate(0.1, static_cast<hone::index>(batch)))});
    rules[1].points.push_back({x, std::log10(hone::sqrt_scaled_rate(0.1, static_cast<hone::index>(batch)))});
  }
  constexpr int epoch = 156;  // steps of 8192 images of ImageNet
  const hone::milestones<3> stairs{.peak = hone::linear_scaled_rate(0.1, 8192),
                                   .at = {25 * epoch, 55 * epoch, 75 * epoch}};
  const auto schedule = hone::warmup(stairs, {.start = 0.1, .steps = 5 * epoch});
  series steps{"warmup of milestones, 8192 samples", 3, {}};
  for (int step = 0; step <= 90 * epoch; step += epoch / 4)
    steps.points.push_back({static_cast<double>(step) / epoch, schedule.rate(step)});
  drawing d(720, 310, "Rates of large batches");
  const panel a{55, 30, 285, 210, 5, 13, -2, 1}, b{405, 30, 300, 210, 0, 90, 0, 3.5};
  d.axes(a, "rate, 0.1 at 256 samples", {{5, "32"}, {8, "256"}, {10, "1024"}, {13, "8192"}},
         {{-2, "0.01"}, {-1, "0.1"}, {0, "1"}, {1, "10"}}, "samples per step");
  d.axes(b, "rate of 90 epochs", ticks(0, 90, 30), ticks(0, 3.5, 0.5), "epoch");
  draw(d, a, rules);
  d.curve(b, steps);
  d.legend(40, 300, {rules[0], rules[1], steps});
  return d.svg();
}

std::string ema_ramps() {
  const std::vector<std::pair<std::string, hone::ema>> averages{
      {"none", {.decay = 0.9999}},
      {"exponential_ramp(2000), YOLO", {.decay = 0.9999, .ramp = hone::exponential_ramp(2000)}},
      {"inverse_power_ramp(1, 2/3), timm", {.decay = 0.9999, .ramp = hone::inverse_power_ramp(1, 2.0 / 3)}},
      {"threshold_ramp, Paddle", {.decay = 0.9999, .ramp = hone::threshold_ramp()}},
      {"linear_ramp(2000)", {.decay = 0.9999, .ramp = hone::linear_ramp(2000)}}};
  std::vector<series> decays, lags;
  int colour = 0;
  for (const auto& [name, average] : averages) {
    series decay{name, colour, {}, colour == 0}, behind{name, colour, {}, colour == 0};
    double lag = 0;  // of the average of a weight that grows by 1 in every update
    for (int n = 1; n <= 30000; ++n) {
      lag = average.decay_at(n) * (lag + 1);
      if (n > 1000 ? n % 100 : n % 10) continue;
      const double x = std::log10(n);
      decay.points.push_back({x, -std::log10(1 - average.decay_at(n))});
      behind.points.push_back({x, std::log10(std::max(lag, 1.0))});
    }
    decays.push_back(decay), lags.push_back(behind);
    ++colour;
  }
  drawing d(720, 350, "Ramps of a moving average with decay 0.9999");
  const std::vector<tick> updates{{1, "10"}, {2, "100"}, {3, "1000"}, {4, "10000"}};
  const panel a{60, 30, 280, 210, 1, 4.5, 0, 4.1}, b{405, 30, 300, 210, 1, 4.5, 0, 4.1};
  d.axes(a, "decay", updates, {{0, "0"}, {1, "0.9"}, {2, "0.99"}, {3, "0.999"}, {4, "0.9999"}}, "update");
  d.axes(b, "how many updates the average is behind", updates,
         {{0, "1"}, {1, "10"}, {2, "100"}, {3, "1000"}, {4, "10000"}}, "update");
  draw(d, a, decays);
  draw(d, b, lags);
  d.legend(40, 300, decays);
  return d.svg();
}

std::string clipping() {
  const hone::cpu cpu(1);
  std::vector<series> all{{"not clipped", 0, {}, true},
                          {"clip_by_global_norm(1)", 1, {}},
                          {"clip_by_value(0.5)", 2, {}},
                          {"adaptive_clip, λ = 0.5", 3, {}}};
  std::vector<double> weights{0.6, 0.8, 0, 0};  // two rows, of norm 1 and 0
  const hone::tensor_list<double> parameters{{weights.data(), 2, 2}};
  for (int i = 0; i <= 100; ++i) {
    const double length = 0.04 * i;
    const auto norm_after = [&](const auto& step) {
      std::vector<double> g{0.8 * length, 0.6 * length, 0, 0};
      const hone::tensor_list<double> gradients{{g.data(), 2, 2}};
      hone::transform(cpu, step, gradients);
      return std::hypot(g[0], g[1]);
    };
    all[0].points.push_back({length, length});
    all[1].points.push_back({length, norm_after(hone::clip_by_global_norm(1))});
    all[2].points.push_back({length, norm_after(hone::clip_by_value(0.5))});
    all[3].points.push_back({length, norm_after(hone::adaptive_clip(parameters, {.clipping = 0.5}))});
  }
  drawing d(720, 310, "The norm of a gradient before and after clipping");
  const panel p{40, 30, 480, 210, 0, 4, 0, 1.5};
  d.axes(p, "norm after, of the gradient (0.8, 0.6) · length; its row of weights has norm 1", ticks(0, 4, 0.5),
         ticks(0, 1.5, 0.25), "norm before");
  draw(d, p, all);
  d.legend(40, 300, all);
  return d.svg();
}

std::string reliability() {
  constexpr hone::index rows = 8000, classes = 5;
  numbers_of_unit unit{1};
  std::vector<float> logits;
  std::vector<int> labels;
  for (hone::index i = 0; i < rows; ++i) {  // labels are drawn from softmax(z); the network says 2.5 z
    std::vector<double> z;
    double total = 0;
    for (hone::index c = 0; c < classes; ++c) z.push_back(4 * unit()), total += std::exp(z.back());
    double left = unit() * total;
    int label = 0;
    while (label + 1 < classes && (left -= std::exp(z[static_cast<std::size_t>(label)])) > 0) ++label;
    labels.push_back(label);
    for (const double x : z) logits.push_back(static_cast<float>(2.5 * x));
  }
  const hone::cpu cpu(1);
  const hone::matrix_view<const float> view{logits.data(), rows, classes};
  const double temperature = hone::fit_temperature(cpu, view, labels).temperature;
  drawing d(720, 330, "Reliability before and after temperature scaling");
  for (int k = 0; k < 2; ++k) {
    const double T = k == 0 ? 1 : temperature;
    const auto diagram = hone::reliability(cpu, view, labels, {.bins = 10, .temperature = T});
    const panel p{40 + 365.0 * k, 30, 240, 240, 0, 1, 0, 1};
    d.axes(p, format("T = %.2f, calibration error %.1f %%", T, 100 * diagram.expected_calibration_error()),
           ticks(0, 1, 0.25), ticks(0, 1, 0.25), "confidence; upwards accuracy");
    for (const hone::reliability_bin& b : diagram.bins)
      if (b.count > 0) d.bars(p, {{b.upper - 0.05, b.accuracy()}}, 0.085, 2);
    d.line("c1 dashed", {p.px(0), p.py(0)}, {p.px(1), p.py(1)});
  }
  return d.svg();
}

}  // namespace pictures
