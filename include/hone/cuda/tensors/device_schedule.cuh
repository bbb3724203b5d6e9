// SPDX-License-Identifier: MIT
/// A schedule whose step is counted on the device.
#pragma once

#include <hone/cuda/run/device_value.cuh>
#include <hone/cuda/run/tasks.cuh>
#include <hone/schedule/schedule.hpp>

#include <hone/core/macros_push.hpp>

namespace hone::inline HONE_ABI {

/// The current step and its rate.
struct scheduled {
  index step = 0;
  double rate = 0;
};

namespace on_cuda {

/// The next step of a schedule, by one thread.
template <class S>
struct next_of_schedule {
  S schedule;
  bool const* finite;
  scheduled* now;

  __device__ void operator()() const {
    if (finite && !*finite) return;
    const index step = now->step + 1;
    *now = {step, schedule.rate(step)};
  }
};

}  // namespace on_cuda

/// Any schedule of hone, for steps that only the device can count, because some are skipped. hone::advance does the
/// same for several schedules and loss scalers at once.
///
///     hone::device_schedule rate(gpu, hone::warmup_cosine{.peak = 0.1, .warmup = 100, .total = 1000});
///     // an update of the parameters that reads *rate.data(), then
///     rate.advance(gpu, report.finite());
///
/// Throws hone::invalid_argument if the schedule throws at `step`, which checks its parameters. A user-defined schedule
/// must have a HONE_HD rate.
template <schedule S>
class device_schedule {
 public:
  device_schedule(cuda const& backend, S const& schedule, integer step = 0)
      : schedule_(schedule), now_(backend.placed(), {step, schedule.rate(step)}, "device_schedule: ") {}

  /// Returns the rate of the current step, in device memory.
  double const* data() const noexcept { return &now_.data()->rate; }

  /// Enqueues the next step. If `finite`, in device memory, is false, the step was skipped and is not counted.
  void advance(cuda& backend, bool const* finite = nullptr) const {
    on_cuda::enqueue_tasks("device_schedule: tasks_kernel", backend, after(finite));
  }
  /// For hone::advance.
  on_cuda::next_of_schedule<S> after(bool const* finite) const { return {schedule_, finite, now_.data()}; }

  /// Returns a copy on the host, for a log or a checkpoint; waits for the stream.
  scheduled host() const { return now_.host(); }

 private:
  S schedule_;
  on_cuda::device_value<scheduled> now_;
};

}  // namespace hone::inline HONE_ABI

#include <hone/core/macros_pop.hpp>
