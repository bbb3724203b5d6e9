// SPDX-License-Identifier: MIT
/// A gradient_report that stays on the device.
#pragma once

#include <hone/cuda/backend.cuh>
#include <hone/cuda/device_scalar.cuh>
#include <hone/gradient/report.hpp>

namespace hone {

/// What transform and measure leave on the device, where the optimiser, an average and a loss scaler read it without
/// the host waiting for it. Every call that is given the same report overwrites it.
class device_report {
 public:
  explicit device_report(cuda const& backend) : stream_(backend.stream()) {
    const on_cuda::device_of_stream device(stream_);
    data_ = static_cast<gradient_report*>(on_cuda::allocate(stream_, sizeof(gradient_report), "device_report: "));
    on_cuda::check(cudaMemsetAsync(data_, 0, sizeof(gradient_report), stream_), "cudaMemsetAsync");
  }
  ~device_report() { cudaFreeAsync(data_, stream_); }
  device_report(device_report const&) = delete;
  device_report& operator=(device_report const&) = delete;

  /// In device memory.
  gradient_report* data() const noexcept { return data_; }
  double const* norm() const noexcept { return &data_->norm; }
  double const* coefficient() const noexcept { return &data_->coefficient; }
  double const* factor() const noexcept { return &data_->factor; }
  bool const* finite() const noexcept { return &data_->finite; }

  /// A copy on the host; waits for the stream.
  gradient_report host() const {
    gradient_report copy;
    on_cuda::check(cudaMemcpyAsync(&copy, data_, sizeof copy, cudaMemcpyDeviceToHost, stream_), "cudaMemcpyAsync");
    on_cuda::check(cudaStreamSynchronize(stream_), "cudaStreamSynchronize");
    return copy;
  }

 private:
  cudaStream_t stream_;
  gradient_report* data_ = nullptr;
};

}  // namespace hone
