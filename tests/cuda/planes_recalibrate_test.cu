// SPDX-License-Identifier: MIT
// The CUDA backend against the conformance cases of channel attention.
#include <hone/hone.cuh>

#include <conformance/recalibration.hpp>
#include <cuda/device.cuh>

TEST_CASE("CUDA passes the conformance cases of channel attention") {
  conformance::recalibration<device::conformance>();
}
