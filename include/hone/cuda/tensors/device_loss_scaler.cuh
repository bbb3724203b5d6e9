// SPDX-License-Identifier: MIT
/// A loss_scaler in device memory: the host never waits to know whether a step was finite.
#pragma once

#include <hone/cuda/memory/device_scalar.cuh>
#include <hone/cuda/run/tasks.cuh>
#include <hone/cuda/tensors/device_report.cuh>
#include <hone/gradient/loss_scaler.hpp>

#include <hone/core/macros_push.hpp>

namespace hone::inline HONE_ABI {

namespace on_cuda {

/// The update of a loss scaler, by one thread.
struct next_of_scaler {
  loss_scaler* scaler;
  bool const* finite;

  __device__ void operator()() const { scaler->state = scaler->next(*finite); }
};

}  // namespace on_cuda

/// Scale and counters in device memory. The scale is a number in device memory, to be used as a factor of the objective
/// and in unscale.
///
///     hone::device_loss_scaler scaler(gpu, {.initial = 65536});
///     hone::evaluate(gpu, scaler.scale() * objective, logits, {.gradient = g});
///     // backward, then
///     hone::transform(gpu, hone::chain(hone::unscale(scaler.scale()), hone::clip_by_global_norm(1)), gradients,
///     &report);
///     // an update of the parameters that reads report.finite(), then
///     scaler.update(gpu, report);
class device_loss_scaler {
 public:
  device_loss_scaler(cuda const& backend, loss_scaler const& scaler)
      : scaler_(backend.placed(), begun(scaler), "device_loss_scaler: ") {}

  /// Returns the current factor, which kernels read when they run.
  device_number scale() const { return device_scalar(&scaler_.data()->state.scale); }

  /// Enqueues the update of the scale by a report. A template, so that only programs that call it compile the kernel.
  template <class Self = device_loss_scaler>
  void update(cuda& backend, device_report const& report) const {
    Self const& self = *this;
    on_cuda::enqueue_tasks("device_loss_scaler: tasks_kernel", backend, self.after(report.finite()));
  }
  /// For hone::advance.
  on_cuda::next_of_scaler after(bool const* finite) const { return {scaler_.data(), finite}; }

  /// Returns a copy on the host, for a checkpoint; waits for the stream.
  loss_scaler host() const { return scaler_.host(); }

 private:
  /// Returns the scaler with its first scale set, because kernels read it.
  static loss_scaler begun(loss_scaler scaler) {
    scaler.state.scale = scaler.scale();
    return scaler;
  }

  on_cuda::device_value<loss_scaler> scaler_;
};

}  // namespace hone::inline HONE_ABI

#include <hone/core/macros_pop.hpp>
