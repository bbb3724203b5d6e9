// SPDX-License-Identifier: MIT
/// What follows a step of training on the device, in one kernel: schedules and loss scalers.
#pragma once

#include <hone/cuda/tensors/device_loss_scaler.cuh>
#include <hone/cuda/tensors/device_report.cuh>
#include <hone/cuda/tensors/device_schedule.cuh>

#include <hone/core/macros_push.hpp>

namespace hone::inline HONE_ABI {

/// Enqueues what follows a step, as one kernel for any number of hone::device_schedule and hone::device_loss_scaler:
/// the same as schedule.advance(gpu, report.finite()) and scaler.update(gpu, report) of each, with the same results.
///
///     hone::advance(gpu, report, rate, momentum, scaler);
///
/// The report is that of the step's measure, transform or step. An object may be named once.
template <class... Follower>
void advance(cuda& backend, device_report const& report, Follower const&... followers) {
  static_assert((requires { followers.after(report.finite()); } && ...),
                "advance: after the report come objects of hone::device_schedule and hone::device_loss_scaler");
  static_assert(sizeof...(Follower) >= 1 && sizeof...(Follower) <= 32, "advance: 1 to 32 objects can follow a report");
  on_cuda::enqueue_tasks("advance: tasks_kernel", backend, followers.after(report.finite())...);
}

}  // namespace hone::inline HONE_ABI

#include <hone/core/macros_pop.hpp>
