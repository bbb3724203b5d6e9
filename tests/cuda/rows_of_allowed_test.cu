// SPDX-License-Identifier: MIT
// The CUDA backend against the conformance cases that every backend must pass.
#include <hone/hone.cuh>

#include <conformance/allowed_classes.hpp>
#include <cuda/device.cuh>

TEST_CASE("CUDA passes the conformance cases of targets smoothed over the allowed classes") {
  conformance::row_losses_of_allowed<device::conformance>();
}
