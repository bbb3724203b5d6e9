// SPDX-License-Identifier: MIT
/// A loss_scaler in device memory: the host never waits to know whether a step was finite.
#pragma once

#include <hone/cuda/memory/device_scalar.cuh>
#include <hone/cuda/run/launch.cuh>
#include <hone/cuda/tensors/device_report.cuh>
#include <hone/gradient/loss_scaler.hpp>

#include <hone/core/macros_push.hpp>

namespace hone::inline HONE_ABI {

namespace on_cuda {

template <class Scaler>
__global__ void update_scaler_kernel(Scaler* scaler, bool const* finite) {
  scaler->state = scaler->next(*finite);
}

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

  /// Enqueues the update of the scale by a report.
  void update(cuda& backend, device_report const& report) const {
    const on_cuda::device_of_stream device(backend.placed());
    on_cuda::launch("device_loss_scaler: update_scaler_kernel", on_cuda::update_scaler_kernel<loss_scaler>, {1, 1},
                    backend.stream(), scaler_.data(), report.finite());
  }

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
