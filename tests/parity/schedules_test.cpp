// SPDX-License-Identifier: MIT
// hone's schedules, and hone::parity's, against the rates of other libraries.
#include <hone/parity/schedules/keras.hpp>
#include <hone/parity/schedules/llmc.hpp>
#include <hone/parity/schedules/optax.hpp>
#include <hone/parity/schedules/timm.hpp>
#include <hone/parity/schedules/torch.hpp>
#include <hone/schedule/constant.hpp>
#include <hone/schedule/exponential.hpp>
#include <hone/schedule/milestones.hpp>
#include <hone/schedule/polynomial.hpp>
#include <hone/schedule/sequence.hpp>
#include <hone/schedule/shifted.hpp>
#include <hone/schedule/step_decay.hpp>
#include <hone/schedule/warmup.hpp>
#include <hone/schedule/warmup_cosine.hpp>

#include "parity/schedules_values.hpp"
#include "support/message.hpp"

#include <doctest/doctest.h>

#include <cmath>
#include <cstdint>
#include <limits>
#include <span>
#include <string>
#include <vector>

namespace {

namespace parity = hone::parity;
namespace values = parity_values;

constexpr double inf = std::numeric_limits<double>::infinity(), nan = std::numeric_limits<double>::quiet_NaN();
constexpr std::int64_t huge = std::int64_t{1} << 62;

// Rates are of the size 0.1; their sums round within 1e-16.
template <hone::schedule S>
void agrees(const std::string& name, S schedule, std::span<const double> rates, double tolerance = 1e-15) {
  CAPTURE(name);
  for (std::size_t step = rates.size(); step-- > 0;) {
    CAPTURE(step);
    CHECK(std::abs(schedule.rate(step) - rates[step]) <= tolerance);
  }
}

// OneCycleLR's loop over its phases, restated from its source.
struct torch_loop {
  int total;
  double pct;
  bool three, cos;

  double at(int step, double first, double top, double back, double last) const {
    struct phase {
      double end, from, to;
    };
    std::vector<phase> phases{{pct * total - 1, first, top}};
    if (three) phases.push_back({2 * pct * total - 2, top, back});
    phases.push_back({total - 1.0, three ? back : top, last});
    double start = 0;
    for (std::size_t i = 0;; ++i) {
      auto const& [end, from, to] = phases[i];
      if (step <= end || i + 1 == phases.size()) {
        const double way = (step - start) / (end - start);
        if (!std::isfinite(way)) return nan;
        return cos ? to + (from - to) / 2 * (1 + std::cos(std::acos(-1.0) * way)) : (to - from) * way + from;
      }
      start = end;
    }
  }
};

TEST_CASE("schedules match timm") {
  const parity::timm_cosine under{.lr = 0.1, .t_initial = 30, .lr_min = 0.001, .warmup_t = 4, .warmup_lr_init = 0.0001};
  agrees("under the warm-up", under, values::timm_cosine_warmup);
  parity::timm_cosine prefix = under;
  prefix.warmup_prefix = true;
  agrees("after the warm-up", prefix, values::timm_cosine_prefix);
  // What the forms are of ours: a sequence whose second part is shifted, and warmup.
  const hone::cosine plain{.peak = 0.1, .floor = 0.001, .total = 30};
  const auto rise = hone::warmup(hone::constant{.value = 0.1}, {.start = 0.0001, .steps = 4});
  agrees("shifted", hone::sequence(rise, 4, hone::shifted(plain, 4)), values::timm_cosine_warmup);
  agrees("warmup", hone::warmup(plain, {.start = 0.0001, .steps = 4}), values::timm_cosine_prefix);

  agrees("cycles",
         parity::timm_cosine{.lr = 0.1, .t_initial = 10, .lr_min = 0.001, .cycle_decay = 0.5, .cycle_limit = 3},
         values::timm_cosine_cycles);
  agrees("growing",
         parity::timm_cosine{.lr = 0.1,
                             .t_initial = 5,
                             .lr_min = 0.001,
                             .cycle_mul = 2,
                             .cycle_decay = 0.8,
                             .cycle_limit = 4,
                             .k_decay = 1.5},
         values::timm_cosine_growing);
  agrees("k_decay", parity::timm_cosine{.lr = 0.1, .t_initial = 20, .k_decay = 1.5}, values::timm_cosine_k_decay);
  agrees("k_decay of ours", hone::cosine_k_decay{.peak = 0.1, .k = 1.5, .total = 20}, values::timm_cosine_k_decay);
  agrees("poly", hone::polynomial{.peak = 0.1, .floor = 0.001, .power = 0.5, .total = 20}, values::timm_poly);
  agrees("step, whose warm-up comes before",
         hone::warmup(hone::step_decay{.peak = 0.1, .factor = 0.5, .period = 7}, {.start = 0.01, .steps = 3}),
         values::timm_step);
  CHECK(under.rate(huge) == 0.001);
  const parity::timm_cosine shrinking{.lr = 1, .t_initial = 8, .lr_min = 0.5, .cycle_mul = 0.5, .cycle_limit = 99};
  CHECK(shrinking.rate(8) == 1);
  // Here timm 1.0.31 has lr_min: its logarithm rounds down.
  CHECK(parity::timm_cosine{.lr = 1, .t_initial = 5, .cycle_mul = 3, .cycle_limit = 9}.rate(605) == 1);
  for (const std::int64_t step : {std::int64_t{16}, std::int64_t{17}, huge}) CHECK(shrinking.rate(step) == 0.5);
}

TEST_CASE("schedules match optax") {
  agrees("warmup_cosine", hone::warmup_cosine{.start = 0.01, .peak = 0.1, .floor = 0.001, .warmup = 6, .total = 30},
         values::optax_warmup_cosine);
  const parity::optax_warmup_cosine_options o{
      .init_value = 0.01, .peak_value = 0.1, .warmup_steps = 6, .decay_steps = 30, .end_value = 0.001, .exponent = 2};
  agrees("exponent", parity::optax_warmup_cosine(o), values::optax_warmup_cosine_exponent);
  const parity::optax_cosine_decay decay{.init_value = 0.1, .decay_steps = 20, .alpha = 0.05, .exponent = 1.5};
  agrees("cosine_decay", decay, values::optax_cosine_decay);
  CHECK(decay.rate(0) == 0.1);
  CHECK(decay.rate(huge) == 0.05 * 0.1);
  agrees("polynomial", hone::polynomial{.peak = 0.1, .floor = 0.001, .power = 3, .total = 20},
         values::optax_polynomial);
  agrees("exponential", hone::exponential{.peak = 0.1, .floor = 0.02, .factor = 0.5, .period = 7},
         values::optax_exponential);
  agrees("staircase", hone::step_decay{.peak = 0.1, .factor = 0.5, .period = 7}, values::optax_exponential_staircase);
  agrees("piecewise", hone::milestones<2>{.peak = 0.1, .factor = 0.5, .at = {5, 9}}, values::optax_piecewise_constant);
  agrees("cosine_onecycle", parity::optax_cosine_onecycle({.transition_steps = 25, .peak_value = 0.1}),
         values::optax_cosine_onecycle);
  agrees("linear_onecycle", parity::optax_linear_onecycle({.transition_steps = 25, .peak_value = 0.1}),
         values::optax_linear_onecycle);
  agrees("sgdr",
         hone::sequence(hone::warmup_cosine{.peak = 0.1, .floor = 0.01, .warmup = 3, .total = 10}, 10,
                        hone::warmup_cosine{.peak = 0.05, .floor = 0.01, .warmup = 5, .total = 20}),
         values::optax_sgdr);
}

TEST_CASE("schedules match Keras") {
  constexpr double in_float = 1e-8;  // it rounds parts to float even where it is told to be of doubles
  agrees("cosine", parity::keras_cosine_decay({.initial_learning_rate = 0.1, .decay_steps = 20, .alpha = 0.05}),
         values::keras_cosine_decay, in_float);
  agrees(
      "warm-up",
      parity::keras_cosine_decay(
          {.initial_learning_rate = 0.01, .decay_steps = 20, .alpha = 0.05, .warmup_target = 0.1, .warmup_steps = 5}),
      values::keras_cosine_decay_warmup, in_float);
  agrees(
      "steps without a target",
      parity::keras_cosine_decay({.initial_learning_rate = 0.1, .decay_steps = 20, .alpha = 0.05, .warmup_steps = 5}),
      values::keras_cosine_decay, in_float);
  agrees("restarts",
         parity::keras_cosine_restarts{
             .initial_learning_rate = 0.1, .first_decay_steps = 5, .t_mul = 1, .m_mul = 0.5, .alpha = 0.1},
         values::keras_cosine_restarts, in_float);
  agrees("growing",
         parity::keras_cosine_restarts{
             .initial_learning_rate = 0.1, .first_decay_steps = 4, .t_mul = 2, .m_mul = 0.5, .alpha = 0.1},
         values::keras_cosine_restarts_growing, in_float);
  agrees("piecewise", parity::keras_piecewise_constant<2>{.boundaries = {5, 9}, .values = {0.1, 0.05, 0.025}},
         values::keras_piecewise_constant, in_float);
  agrees("piecewise of ours", hone::milestones<2>{.peak = 0.1, .factor = 0.5, .at = {6, 10}},
         values::keras_piecewise_constant, in_float);
  agrees("exponential", hone::exponential{.peak = 0.1, .factor = 0.5, .period = 7}, values::keras_exponential,
         in_float);
  agrees("polynomial", hone::polynomial{.peak = 0.1, .floor = 0.001, .power = 2, .total = 20}, values::keras_polynomial,
         in_float);
}

TEST_CASE("schedules match PyTorch") {
  using parity::torch_anneal;
  const parity::torch_cosine_annealing annealing{.base_lr = 0.1, .T_max = 12, .eta_min = 0.001};
  agrees("cosine", annealing, values::torch_cosine_annealing);
  CHECK(annealing.rate(12) == 0.001);
  CHECK(annealing.rate(24) == 0.1);
  CHECK(annealing.rate(huge) == annealing.rate(huge % 24));
  agrees("restarts", hone::cosine_restarts{.peak = 0.1, .floor = 0.001, .period = 5, .factor = 2},
         values::torch_cosine_restarts);
  const parity::torch_one_cycle cycle{.max_lr = 0.1, .total_steps = 25};
  agrees("one-cycle", cycle, values::torch_one_cycle);
  CHECK(cycle.rate(0) == 0.1 / 25);
  for (const std::int64_t step : {std::int64_t{24}, std::int64_t{25}, huge}) CHECK(cycle.rate(step) == 0.1 / 25 / 1e4);
  agrees("three phases",
         parity::torch_one_cycle{.max_lr = 0.1, .total_steps = 25, .pct_start = 0.33, .three_phase = true},
         values::torch_one_cycle_three);
  agrees("linear",
         parity::torch_one_cycle{.max_lr = 0.1,
                                 .total_steps = 25,
                                 .div_factor = 10,
                                 .final_div_factor = 100,
                                 .anneal_strategy = torch_anneal::linear},
         values::torch_one_cycle_linear);
  agrees("momentum", parity::torch_one_cycle_momentum{.total_steps = 25}, values::torch_one_cycle_momentum);
  agrees("momentum in three phases",
         parity::torch_one_cycle_momentum{.total_steps = 25, .pct_start = 0.33, .three_phase = true},
         values::torch_one_cycle_momentum_three);
  // Every phase may be empty.
  for (const double pct : {0.0, 0.04, 1.0})
    for (const bool three : {false, true})
      for (int step = 0; step < 30; ++step) {
        const double rate =
            parity::torch_one_cycle{.max_lr = 1, .total_steps = 25, .pct_start = pct, .three_phase = three}.rate(step);
        if (pct * 25 == 1 && step == 0 && !three) CHECK(rate == 1);
        CHECK(rate >= 4e-6 * (1 - 1e-15));
        CHECK(rate <= 1);
      }
  // The corners, as PyTorch 2.15 answers them: phase i goes on up to its last step, the last step's phase too.
  CHECK(parity::torch_one_cycle{.max_lr = 0.1, .total_steps = 25, .pct_start = 1}.rate(24) == 0.1);
  CHECK(parity::torch_one_cycle_momentum{.total_steps = 25, .pct_start = 1}.rate(24) == 0.85);
  CHECK(std::abs(
            parity::torch_one_cycle{.max_lr = 0.1, .total_steps = 10, .pct_start = 0.7, .three_phase = true}.rate(9) -
            0.052) < 1e-12);
  for (const int total : {1, 2, 3, 7, 10, 25, 100})
    for (const double pct : {0.0, 0.01, 0.04, 0.1, 0.3, 0.33, 0.5, 0.52, 0.7, 0.9, 0.96, 0.99, 1.0})
      for (const bool three : {false, true})
        for (const torch_anneal way : {torch_anneal::cos, torch_anneal::linear})
          for (int step = 0; step < total; ++step) {
            CAPTURE(total);
            CAPTURE(pct);
            CAPTURE(three);
            CAPTURE(step);
            const torch_loop loop{total, pct, three, way == torch_anneal::cos};
            const double rate = parity::torch_one_cycle{.max_lr = 0.1,
                                                        .total_steps = total,
                                                        .pct_start = pct,
                                                        .three_phase = three,
                                                        .anneal_strategy = way}
                                    .rate(step),
                         expected = loop.at(step, 0.004, 0.1, three ? 0.004 : 4e-7, 4e-7);
            const double momentum =
                             parity::torch_one_cycle_momentum{
                                 .total_steps = total, .pct_start = pct, .three_phase = three, .anneal_strategy = way}
                                 .rate(step),
                         beside = loop.at(step, 0.95, 0.85, 0.95, 0.95);
            if (std::isnan(expected)) continue;  // PyTorch divides by zero
            CHECK(std::abs(rate - expected) < 1e-15);
            CHECK(std::abs(momentum - beside) < 1e-15);
          }
  agrees("polynomial", hone::polynomial{.peak = 0.1, .power = 2, .total = 20}, values::torch_polynomial);
  agrees("exponential", hone::exponential{.peak = 0.1, .factor = 0.9}, values::torch_exponential);
  agrees("step", hone::step_decay{.peak = 0.1, .factor = 0.5, .period = 7}, values::torch_step);
  agrees("multi-step", hone::milestones<3>{.peak = 0.1, .factor = 0.5, .at = {5, 9, 15}}, values::torch_multi_step);
  agrees("linear warm-up", hone::warmup(hone::constant{.value = 0.1}, {.start = 0.025, .steps = 6}),
         values::torch_linear);
  agrees("sequential", hone::sequence(hone::constant{.value = 0.05}, 6, hone::exponential{.peak = 0.1, .factor = 0.9}),
         values::torch_sequential);
}

TEST_CASE("schedules match a reimplementation of llm.c") {
  const parity::llmc_options o{
      .learning_rate = 0.1, .warmup_iterations = 4, .train_num_batches = 29, .final_learning_rate_frac = 0.1};
  agrees("cosine", parity::llmc_cosine(o), values::restated_llmc_cosine);
  agrees("linear", parity::llmc_linear(o), values::restated_llmc_linear);
  agrees("wsd", parity::llmc_wsd(o), values::restated_llmc_wsd);
  for (const std::int64_t step : {std::int64_t{29}, huge}) {
    CHECK(parity::llmc_cosine(o).rate(step) == 0.1 * 0.1);
    CHECK(parity::llmc_wsd(o).rate(step) == 0.1 * 0.1);
  }
  CHECK(parity::llmc_cosine(o).rate(3) == 0.1);
  CHECK(parity::llmc_cosine(o).rate(4) == 0.1);
}

TEST_CASE("parity schedules: invalid options throw with the library's parameter name") {
  using support::message;
  CHECK(message([] { parity::timm_cosine{.lr = nan, .t_initial = 9}.rate(1); }) ==
        "timm_cosine: lr is nan, must be finite");
  CHECK(message([] { parity::timm_cosine{.lr = 1}.rate(1); }) == "timm_cosine: t_initial is 0, must be at least 1");
  CHECK(message([] { parity::timm_cosine{.lr = 1, .t_initial = 9, .lr_min = inf}.rate(1); }) ==
        "timm_cosine: lr_min is inf, must be finite");
  CHECK(message([] { parity::timm_cosine{.lr = 1, .t_initial = 9, .cycle_mul = 0}.rate(1); }) ==
        "timm_cosine: cycle_mul is 0, must be finite and above 0");
  CHECK(message([] { parity::timm_cosine{.lr = 1, .t_initial = 9, .cycle_decay = nan}.rate(1); }) ==
        "timm_cosine: cycle_decay is nan, must be finite and above 0");
  CHECK(message([] { parity::timm_cosine{.lr = 1, .t_initial = 9, .cycle_limit = 0}.rate(1); }) ==
        "timm_cosine: cycle_limit is 0, must be at least 1");
  CHECK(message([] { parity::timm_cosine{.lr = 1, .t_initial = 9, .warmup_t = -1}.rate(1); }) ==
        "timm_cosine: warmup_t is -1, must be at least 0");
  CHECK(message([] { parity::timm_cosine{.lr = 1, .t_initial = 9, .warmup_lr_init = nan}.rate(1); }) ==
        "timm_cosine: warmup_lr_init is nan, must be finite");
  CHECK(message([] { parity::timm_cosine{.lr = 1, .t_initial = 9, .k_decay = -1}.rate(1); }) ==
        "timm_cosine: k_decay is -1, must be finite and above 0");
  CHECK(message([] { parity::timm_cosine{.lr = 1, .t_initial = 9}.rate(-1); }) ==
        "timm_cosine: step is -1, must be at least 0");
  CHECK(message([] { parity::optax_cosine_decay{.init_value = inf, .decay_steps = 9}.rate(1); }) ==
        "optax_cosine_decay: init_value is inf, must be finite");
  CHECK(message([] { parity::optax_cosine_decay{.init_value = 1, .decay_steps = 9, .alpha = nan}.rate(1); }) ==
        "optax_cosine_decay: alpha is nan, must be finite");
  CHECK(message([] { parity::optax_cosine_decay{.init_value = 1, .decay_steps = 9, .exponent = 0}.rate(1); }) ==
        "optax_cosine_decay: exponent is 0, must be finite and above 0");
  CHECK(message([] { parity::optax_cosine_onecycle({.transition_steps = 9, .pct_start = nan}); }) ==
        "optax_cosine_onecycle: pct_start is nan, must be in [0, 1]");
  CHECK(message([] { parity::optax_linear_onecycle({.transition_steps = 9, .pct_final = 2}); }) ==
        "optax_linear_onecycle: pct_final is 2, must be in [0, 1]");
  CHECK(message([] { parity::keras_cosine_restarts{.initial_learning_rate = nan, .first_decay_steps = 9}.rate(1); }) ==
        "keras_cosine_restarts: initial_learning_rate is nan, must be finite");
  CHECK(message([] { parity::keras_cosine_restarts{.first_decay_steps = 9, .alpha = inf}.rate(1); }) ==
        "keras_cosine_restarts: alpha is inf, must be finite");
  CHECK(message([] { parity::keras_piecewise_constant<2>{.boundaries = {5, 5}}.rate(1); }) ==
        "keras_piecewise_constant: boundary 1 is 5, must be above 5");
  CHECK(message([] { parity::keras_piecewise_constant<1>{.boundaries = {5}, .values = {1, nan}}.rate(1); }) ==
        "keras_piecewise_constant: a value is nan, must be finite");
  CHECK(message([] { parity::keras_piecewise_constant<1>{.boundaries = {5}}.rate(-1); }) ==
        "keras_piecewise_constant: step is -1, must be at least 0");
  CHECK(message([] { parity::torch_cosine_annealing{.base_lr = nan, .T_max = 9}.rate(1); }) ==
        "torch_cosine_annealing: base_lr is nan, must be finite");
  CHECK(message([] { parity::torch_cosine_annealing{.base_lr = 1}.rate(1); }) ==
        "torch_cosine_annealing: T_max is 0, must be at least 1");
  CHECK(message([] { parity::torch_cosine_annealing{.base_lr = 1, .T_max = 9, .eta_min = inf}.rate(1); }) ==
        "torch_cosine_annealing: eta_min is inf, must be finite");
  CHECK(message([] { parity::torch_cosine_annealing{.base_lr = 1, .T_max = 9}.rate(-1); }) ==
        "torch_cosine_annealing: step is -1, must be at least 0");
  CHECK(message([] { parity::torch_one_cycle{.max_lr = nan, .total_steps = 9}.rate(1); }) ==
        "torch_one_cycle: max_lr is nan, must be finite");
  CHECK(message([] { parity::torch_one_cycle{.max_lr = 1}.rate(1); }) ==
        "torch_one_cycle: total_steps is 0, must be at least 1");
  CHECK(message([] { parity::torch_one_cycle{.max_lr = 1, .total_steps = 9, .pct_start = nan}.rate(1); }) ==
        "torch_one_cycle: pct_start is nan, must be in [0, 1]");
  CHECK(message([] { parity::torch_one_cycle{.max_lr = 1, .total_steps = 9, .div_factor = 0}.rate(1); }) ==
        "torch_one_cycle: div_factor is 0, must be finite and above 0");
  CHECK(message([] { parity::torch_one_cycle{.max_lr = 1, .total_steps = 9, .final_div_factor = nan}.rate(1); }) ==
        "torch_one_cycle: final_div_factor is nan, must be finite and above 0");
  CHECK(message([] { parity::torch_one_cycle_momentum{.base_momentum = nan, .total_steps = 9}.rate(1); }) ==
        "torch_one_cycle_momentum: base_momentum is nan, must be finite");
  CHECK(message([] { parity::torch_one_cycle_momentum{.max_momentum = inf, .total_steps = 9}.rate(1); }) ==
        "torch_one_cycle_momentum: max_momentum is inf, must be finite");
  CHECK(message([] { parity::torch_one_cycle_momentum{.total_steps = 9, .pct_start = 2}.rate(1); }) ==
        "torch_one_cycle_momentum: pct_start is 2, must be in [0, 1]");
  CHECK(message([] {
          parity::llmc_cosine({.learning_rate = 1, .warmup_iterations = -1, .train_num_batches = 9}).rate(1);
        }) == "sequence: steps is -1, must be at least 0");
}

TEST_CASE("parity schedules of llm.c and optax: invalid options throw at the first step") {
  using support::message;
  const auto each = [](parity::llmc_options const& o, std::string const& cosine, std::string const& line,
                       std::string const& wsd) {
    CHECK(message([&] { parity::llmc_cosine(o).rate(0); }) == cosine);
    CHECK(message([&] { parity::llmc_linear(o).rate(0); }) == line);
    CHECK(message([&] { parity::llmc_wsd(o).rate(0); }) == wsd);
  };
  each({.learning_rate = 1, .warmup_iterations = 700}, "cosine: total is -700, must be at least 1",
       "polynomial: total is -700, must be at least 1", "wsd: total is 0, must be at least 1");
  each({.learning_rate = 1, .warmup_iterations = 90'000, .train_num_batches = 80'000, .final_learning_rate_frac = nan},
       "cosine: floor is nan, must be finite", "polynomial: floor is nan, must be finite",
       "wsd: floor is nan, must be finite");
  each({.learning_rate = 1, .warmup_iterations = 90'000, .train_num_batches = 89'999},
       "cosine: total is -1, must be at least 1", "polynomial: total is -1, must be at least 1", "");
  each({.learning_rate = 1, .warmup_iterations = 5, .train_num_batches = 5}, "", "", "");  // the warm-up alone
  for (int step = 4; step < 8; ++step)
    CHECK(parity::llmc_cosine({.learning_rate = 1, .warmup_iterations = 5, .train_num_batches = 5}).rate(step) == 1);
  const auto to_the_end =
      parity::optax_linear_onecycle({.transition_steps = 20, .peak_value = 1, .pct_final = 1, .div_factor = 4});
  CHECK(to_the_end.rate(0) == 0.25);
  for (int step = 20; step < 23; ++step) CHECK(to_the_end.rate(step) == 0.25 / 1e4);
}

}  // namespace
