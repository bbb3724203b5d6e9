// SPDX-License-Identifier: MIT
// What docs/schedules.md shows.
#include <hone/hone.hpp>

#include <cmath>
#include <cstdio>
#include <vector>

namespace {

int failures = 0;

void expect(double actual, double expected, const char* what) {
  if (std::abs(actual - expected) <= 1e-15) return;
  std::printf("wrong: %s is %.17g, not %.17g\n", what, actual, expected);
  ++failures;
}

}  // namespace

int main() {
  {
    // [cosine]
    const hone::cosine schedule{.peak = 0.1, .floor = 0, .total = 1000};
    double half_way = schedule.rate(500);  // 0.05
    // [/cosine]
    expect(schedule.rate(0), 0.1, "cosine at 0");
    expect(half_way, 0.05, "cosine half way");
    expect(schedule.rate(5000), 0, "cosine at the end");
  }
  {
    // [warmup_cosine]
    const hone::warmup_cosine schedule{.start = 0, .peak = 0.1, .floor = 0, .warmup = 100, .total = 1000};
    double warming = schedule.rate(50), highest = schedule.rate(100);  // 0.05 and 0.1
    // [/warmup_cosine]
    expect(warming, 0.05, "warming");
    expect(highest, 0.1, "the peak");
    expect(schedule.rate(1000), 0, "the floor");
  }
  {
    // [cosine_restarts]
    const hone::cosine_restarts schedule{.peak = 0.1, .floor = 0, .period = 100, .factor = 2, .decay = 0.5};
    double second = schedule.rate(100), third = schedule.rate(300);  // 0.05 and 0.025
    // [/cosine_restarts]
    expect(second, 0.05, "the second cycle");
    expect(third, 0.025, "the third cycle");
  }
  {
    // [polynomial]
    const hone::polynomial schedule{.peak = 0.1, .floor = 0, .power = 2, .total = 1000};
    double half_way = schedule.rate(500);  // 0.025
    // [/polynomial]
    expect(half_way, 0.025, "polynomial half way");
  }
  {
    // [exponential]
    const hone::exponential schedule{.peak = 0.1, .floor = 0.001, .factor = 0.5, .period = 100};
    double after_two = schedule.rate(200), late = schedule.rate(5000);  // 0.025 and 0.001
    // [/exponential]
    expect(after_two, 0.025, "exponential after two periods");
    expect(late, 0.001, "exponential's floor");
  }
  {
    // [step_decay]
    const hone::step_decay thirds{.peak = 0.1, .factor = 0.1, .period = 30};
    const hone::milestones<3> placed{.peak = 0.1, .factor = 0.1, .at = {30, 60, 80}};
    double before = thirds.rate(29), after = thirds.rate(30), last = placed.rate(80);  // 0.1, 0.01 and 0.0001
    // [/step_decay]
    expect(before, 0.1, "step_decay before");
    expect(after, 0.01, "step_decay after");
    expect(last, 0.0001, "milestones");
  }
  {
    // [cosine_k_decay]
    const hone::cosine_k_decay schedule{.peak = 0.1, .floor = 0, .k = 1.5, .total = 1000};
    double half_way = schedule.rate(500);  // 0.072, where k = 1 has 0.05
    // [/cosine_k_decay]
    expect(half_way, 0.1 * (1 + std::cos(3.14159265358979323846 * std::pow(0.5, 1.5))) / 2, "cosine_k_decay half way");
  }
  {
    // [one_cycle]
    const hone::one_cycle schedule{.start = 0.04, .peak = 1, .floor = 4e-6, .rise = 300, .total = 1000};
    const hone::one_cycle momentum{.start = 0.95, .peak = 0.85, .floor = 0.95, .rise = 300, .total = 1000};
    double highest = schedule.rate(300), lowest_momentum = momentum.rate(300);  // 1 and 0.85
    // [/one_cycle]
    expect(highest, 1, "one_cycle's peak");
    expect(lowest_momentum, 0.85, "one_cycle's momentum");
    expect(schedule.rate(1000), 4e-6, "one_cycle's floor");
  }
  {
    // [inverse_square_root]
    const hone::inverse_square_root schedule{.start = 0, .peak = 0.001, .warmup = 4000};
    double highest = schedule.rate(4000), half = schedule.rate(16000);  // 0.001 and 0.0005
    // [/inverse_square_root]
    expect(highest, 0.001, "inverse_square_root's peak");
    expect(half, 0.0005, "inverse_square_root's decay");
  }
  {
    // [milestones_read]
    const std::vector<int> epochs{30, 60, 80};  // read from a configuration
    const hone::milestones<> placed{.peak = 0.1, .factor = 0.1, .at = epochs};
    double last = placed.rate(80);  // 0.0001
    // [/milestones_read]
    expect(last, 0.0001, "milestones of a list");
  }
  {
    // [wsd]
    const hone::wsd schedule{.start = 0, .peak = 0.1, .floor = 0, .warmup = 100, .decay = 200, .total = 1000};
    double plateau = schedule.rate(800), quarter = schedule.rate(850);  // 0.1 and 0.05
    // [/wsd]
    expect(plateau, 0.1, "wsd's plateau");
    expect(quarter, 0.05, "wsd's decay");
  }
  {
    // [warmup]
    const hone::polynomial decay{.peak = 0.1, .total = 900};
    const auto schedule = hone::warmup(decay, {.start = 0, .steps = 100});
    double warming = schedule.rate(50), highest = schedule.rate(100);  // 0.05 and 0.1; 0 at step 1000
    // [/warmup]
    expect(warming, 0.05, "warmup");
    expect(highest, 0.1, "after the warmup");
    expect(schedule.rate(1000), 0, "the end of the warmed one");
  }
  {
    // [sequence]
    const hone::constant high{.value = 0.1}, low{.value = 0.001};
    const hone::cosine fall{.peak = 0.1, .floor = 0.001, .total = 600};
    const auto schedule = hone::sequence(high, 300, fall, 600, low);
    const auto head = hone::scaled_by(schedule, 10);
    const auto later = hone::shifted(schedule, 300);
    double middle = schedule.rate(300), of_the_head = head.rate(0), end = later.rate(600);  // 0.1, 1 and 0.001
    // [/sequence]
    expect(middle, 0.1, "sequence");
    expect(of_the_head, 1, "scaled_by");
    expect(end, 0.001, "shifted");
  }
  {
    // [noise]
    const hone::cosine quiet{.peak = 0.1, .total = 1000};
    const auto schedule = hone::with_noise(quiet, {.limit = 0.1, .from = 400, .to = 900, .seed = 7});
    double noisy = schedule.rate(500);  // within a tenth of 0.05, and the same in every run
    // [/noise]
    if (!(std::abs(noisy - 0.05) <= 0.005 && noisy != 0.05)) ++failures;
    expect(schedule.rate(399), quiet.rate(399), "before the noise");
  }
  {
    // [others]
    const hone::cosine weight_decay{.peak = 0.04, .floor = 0.4, .total = 1000};  // rises, as in DINO
    const auto momentum = hone::warmup(hone::constant{.value = 0.937}, {.start = 0.8, .steps = 100});
    double decay_now = weight_decay.rate(500), momentum_now = momentum.rate(0);  // 0.22 and 0.8
    // [/others]
    expect(decay_now, 0.22, "a weight decay");
    expect(momentum_now, 0.8, "a momentum");
  }
  {
    // [parity]
    const hone::parity::timm_cosine schedule{
        .lr = 0.001, .t_initial = 300, .lr_min = 1e-5, .warmup_t = 20, .warmup_lr_init = 1e-6};
    double hand_off = schedule.rate(20);  // 0.00098918: the cosine has run underneath
    // [/parity]
    if (!(std::abs(hand_off - 0.00098918) < 1e-8)) ++failures;
  }
  {
    // [linear_scaled_rate]
    const double peak = hone::linear_scaled_rate(0.1, 1024);  // 0.4: 0.1 was good for 256 samples
    // [/linear_scaled_rate]
    expect(peak, 0.4, "linear_scaled_rate");
  }
  {
    // [sqrt_scaled_rate]
    const double peak = hone::sqrt_scaled_rate(0.001, 1024);  // 0.002: 0.001 was good for 256 samples
    // [/sqrt_scaled_rate]
    expect(peak, 0.002, "sqrt_scaled_rate");
  }
  return failures;
}
