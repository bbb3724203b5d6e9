// SPDX-License-Identifier: MIT
/// A gradient_report in device memory.
#pragma once

#include <hone/cuda/run/device_value.cuh>
#include <hone/gradient/report.hpp>

#include <hone/core/macros_push.hpp>

namespace hone::inline HONE_ABI {

/// The report of transform and measure in device memory: the optimiser, an average and a loss scaler read it, and the
/// host does not wait for it. Every call with the same report overwrites it.
class device_report {
 public:
  explicit device_report(cuda const& backend) : report_(backend.placed(), {0, 0, 0, false}, "device_report: ") {}

  /// Return pointers to device memory.
  gradient_report* data() const noexcept { return report_.data(); }
  double const* norm() const noexcept { return &data()->norm; }
  double const* coefficient() const noexcept { return &data()->coefficient; }
  double const* factor() const noexcept { return &data()->factor; }
  bool const* finite() const noexcept { return &data()->finite; }

  /// Returns a copy on the host; waits for the stream.
  gradient_report host() const { return report_.host(); }

 private:
  on_cuda::device_value<gradient_report> report_;
};

}  // namespace hone::inline HONE_ABI

#include <hone/core/macros_pop.hpp>
