// SPDX-License-Identifier: MIT
/// A loss_scaler that stays on the device: the host never waits to know whether a step was finite.
#pragma once

#include <hone/cuda/device_report.cuh>
#include <hone/gradient/loss_scaler.hpp>

namespace hone {

namespace on_cuda {

static __global__ void update_scaler_kernel(loss_scaler* scaler, bool const* finite) {
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
  device_loss_scaler(cuda const& backend, loss_scaler scaler) : stream_(backend.stream()) {
    scaler.check();
    if (!(scaler.state.scale > 0)) scaler.state.scale = scaler.initial;
    const on_cuda::device_of_stream device(stream_);
    data_ = static_cast<loss_scaler*>(on_cuda::allocate(stream_, sizeof scaler, "device_loss_scaler: "));
    on_cuda::check(cudaMemcpyAsync(data_, &scaler, sizeof scaler, cudaMemcpyHostToDevice, stream_), "cudaMemcpyAsync");
  }
  ~device_loss_scaler() { cudaFreeAsync(data_, stream_); }
  device_loss_scaler(device_loss_scaler const&) = delete;
  device_loss_scaler& operator=(device_loss_scaler const&) = delete;

  /// The current factor, read when kernels run.
  device_number scale() const { return device_scalar(&data_->state.scale); }

  /// Enqueues what follows from a report.
  void update(cuda& backend, device_report const& report) const {
    const on_cuda::device_of_stream device(backend.stream());
    on_cuda::update_scaler_kernel<<<1, 1, 0, backend.stream()>>>(data_, report.finite());
    on_cuda::check_launch("device_loss_scaler: update_scaler_kernel");
  }

  /// A copy on the host, for a checkpoint; waits for the stream.
  loss_scaler host() const {
    loss_scaler copy;
    on_cuda::check(cudaMemcpyAsync(&copy, data_, sizeof copy, cudaMemcpyDeviceToHost, stream_), "cudaMemcpyAsync");
    on_cuda::check(cudaStreamSynchronize(stream_), "cudaStreamSynchronize");
    return copy;
  }

 private:
  cudaStream_t stream_;
  loss_scaler* data_ = nullptr;
};

}  // namespace hone
