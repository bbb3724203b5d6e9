// SPDX-License-Identifier: MIT
// Every schedule has the same rates on the device as on the host; a skipped step does not count.
#include <hone/hone.cuh>

#include <doctest/doctest.h>
#include <cuda/device.cuh>

#include <cmath>

namespace {

template <class S>
void agrees(const char* name, S const& schedule) {
  CAPTURE(name);
  const device::stream stream;
  hone::cuda gpu(stream);
  const hone::device_schedule on_device(gpu, schedule);
  const device::buffer<char> no(std::vector<char>{0});
  CHECK(on_device.host().rate == schedule.rate(0));
  for (hone::index step = 1; step <= 24; ++step) {
    CAPTURE(step);
    on_device.advance(gpu);
    if (step % 3 == 0) on_device.advance(gpu, reinterpret_cast<bool const*>(no.data()));
    const hone::scheduled now = on_device.host();
    CHECK(now.step == step);
    const double expected = schedule.rate(step);
    CHECK(std::abs(now.rate - expected) <= 1e-14 * std::abs(expected));
  }
}

}  // namespace

TEST_CASE("every schedule has the same rates on the device as on the host") {
  using namespace hone;
  const cosine base{.peak = 0.1, .floor = 0.001, .total = 20};
  agrees("constant", constant{.value = 0.1});
  agrees("cosine", base);
  agrees("cosine_k_decay", cosine_k_decay{.peak = 0.1, .floor = 0.001, .k = 1.5, .total = 20});
  agrees("cosine_restarts", cosine_restarts{.peak = 0.1, .floor = 0, .period = 5, .factor = 1.5, .decay = 0.5});
  agrees("cosine_restarts, whole", cosine_restarts{.peak = 0.1, .floor = 0, .period = 5, .factor = 2, .decay = 0.5});
  agrees("exponential", exponential{.peak = 0.1, .factor = 0.5, .period = 7});
  agrees("milestones", milestones<2>{.peak = 0.1, .factor = 0.1, .at = {3, 7}});
  agrees("one_cycle", one_cycle{.peak = 0.1, .total = 20});
  agrees("polynomial", polynomial{.peak = 0.1, .floor = 0.01, .power = 0.9, .total = 20});
  agrees("step_decay", step_decay{.peak = 0.1, .factor = 0.5, .period = 6});
  agrees("warmup", warmup(base, {.start = 0, .steps = 5}));
  agrees("warmup_cosine", warmup_cosine{.start = 0.01, .peak = 0.1, .floor = 0, .warmup = 4, .total = 20});
  agrees("wsd", wsd{.start = 0, .peak = 0.1, .floor = 0, .warmup = 3, .decay = 8, .total = 20});
  agrees("with_noise", with_noise(base, {.limit = 0.5, .seed = 3}));
  agrees("sequence", sequence(base, 5, constant{.value = 0.3}, 5, base));
  agrees("shifted", shifted(scaled_by(base, 2), 3));
  agrees("keras", parity::keras_cosine_decay({.initial_learning_rate = 0.1, .decay_steps = 20}));
  agrees("keras restarts", parity::keras_cosine_restarts{.initial_learning_rate = 0.1, .first_decay_steps = 6});
  agrees("keras boundaries", parity::keras_piecewise_constant<2>{.boundaries = {4, 9}, .values = {0.1, 0.01, 0.001}});
  agrees("llm.c", parity::llmc_wsd({.learning_rate = 0.1, .train_num_batches = 20}));
  agrees("optax", parity::optax_cosine_decay{.init_value = 0.1, .decay_steps = 20});
  agrees("timm", parity::timm_cosine{.lr = 0.1, .t_initial = 20});
  agrees("torch", parity::torch_cosine_annealing{.base_lr = 0.1, .T_max = 9});
  agrees("torch one cycle", parity::torch_one_cycle{.max_lr = 0.1, .total_steps = 30});
}

TEST_CASE("device_schedule: invalid schedules and steps throw on the host") {
  const device::stream stream;
  const hone::cuda gpu(stream);
  CHECK_THROWS_WITH(hone::device_schedule(gpu, hone::cosine{.peak = 0.1}), "cosine: total is 0, must be at least 1");
  CHECK_THROWS_WITH(hone::device_schedule(gpu, hone::cosine{.peak = 0.1, .total = 3}, -1),
                    "cosine: step is -1, must be at least 0");
}
