// SPDX-License-Identifier: MIT
// wrong: advance: after the report come objects of hone::device_schedule and hone::device_loss_scaler
#include <hone/cuda/tensors/advance.cuh>
#include <hone/schedule.hpp>

void advance_of_rate(hone::cuda& gpu, hone::device_report const& report) {
  const hone::cosine schedule{.peak = 0.1, .total = 100};
#ifdef WRONG
  hone::advance(gpu, report, schedule);
#else
  const hone::device_schedule rate(gpu, schedule);
  hone::advance(gpu, report, rate);
#endif
}
