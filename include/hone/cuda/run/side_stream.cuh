// SPDX-License-Identifier: MIT
/// A stream beside that of a backend, for work that waits while the backend's stream computes.
#pragma once

#include <hone/cuda/run/device.cuh>

#include <hone/core/macros_push.hpp>

namespace hone::inline HONE_ABI::on_cuda {

/// Work of this stream is between two points of another one, the main stream: it begins after fork(main), and what
/// follows join(main, k) begins after what was in it at mark(k). So a capture of the main stream captures it too. It
/// has the highest priority, because its kernels are small and the main stream may fill the device.
class side_stream {
 public:
  static constexpr int marks = 8;

  explicit side_stream(placed_stream const& of) : side_stream(of, empty()) {  // what throws here is destroyed
    const device_of_stream device(of_);
    const any_capture allowed;
    int least = 0, greatest = 0;
    check(cudaDeviceGetStreamPriorityRange(&least, &greatest), "cudaDeviceGetStreamPriorityRange");
    for (cudaEvent_t& e : events_)
      check(cudaEventCreateWithFlags(&e, cudaEventDisableTiming), "cudaEventCreateWithFlags");
    check(cudaStreamCreateWithPriority(&stream_, cudaStreamNonBlocking, greatest), "cudaStreamCreateWithPriority");
  }
  ~side_stream() {
    const device_of_stream device(of_, std::nothrow);
    if (stream_) forget_error(cudaStreamDestroy(stream_));
    for (cudaEvent_t e : events_)
      if (e) forget_error(cudaEventDestroy(e));
  }
  side_stream(side_stream const&) = delete;
  side_stream& operator=(side_stream const&) = delete;

  cudaStream_t get() const noexcept { return stream_; }

  void fork(cudaStream_t main) const {
    check(cudaEventRecord(events_[marks], main), "cudaEventRecord");
    check(cudaStreamWaitEvent(stream_, events_[marks], 0), "cudaStreamWaitEvent");
  }
  void mark(int k) const { check(cudaEventRecord(events_[k], stream_), "cudaEventRecord"); }
  void join(cudaStream_t main, int k) const { check(cudaStreamWaitEvent(main, events_[k], 0), "cudaStreamWaitEvent"); }

 private:
  /// Permits the thread to make streams and events while a stream is captured.
  class any_capture {
   public:
    any_capture() { check(cudaThreadExchangeStreamCaptureMode(&mode_), "cudaThreadExchangeStreamCaptureMode"); }
    ~any_capture() { forget_error(cudaThreadExchangeStreamCaptureMode(&mode_)); }
    any_capture(any_capture const&) = delete;
    any_capture& operator=(any_capture const&) = delete;

   private:
    cudaStreamCaptureMode mode_ = cudaStreamCaptureModeRelaxed;
  };

  struct empty {};
  side_stream(placed_stream const& of, empty) : of_(of) {}

  placed_stream of_;
  cudaStream_t stream_ = nullptr;
  cudaEvent_t events_[marks + 1] = {};  // the last one is that of fork
};

}  // namespace hone::inline HONE_ABI::on_cuda

#include <hone/core/macros_pop.hpp>
