// SPDX-License-Identifier: MIT
/// A loss_scaler that stays on the device: the host never waits to know whether a step was finite.
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

/// Scale and counters in device memory. The scale goes where a number of the device may go: as a factor of the
/// objective, and into unscale.
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

  /// The current factor, read when kernels run.
  device_number scale() const { return device_scalar(&scaler_.data()->state.scale); }

  /// Enqueues what follows from a report.
  void update(cuda& backend, device_report const& report) const {
    const on_cuda::device_of_stream device(backend.placed());
    on_cuda::launch("device_loss_scaler: update_scaler_kernel", on_cuda::update_scaler_kernel<loss_scaler>, {1, 1},
                    backend.stream(), scaler_.data(), report.finite());
  }

  /// A copy on the host, for a checkpoint; waits for the stream.
  loss_scaler host() const { return scaler_.host(); }

 private:
  /// With its first scale, which kernels read.
  static loss_scaler begun(loss_scaler scaler) {
    scaler.state.scale = scaler.scale();
    return scaler;
  }

  on_cuda::device_value<loss_scaler> scaler_;
};

}  // namespace hone::inline HONE_ABI

#include <hone/core/macros_pop.hpp>
