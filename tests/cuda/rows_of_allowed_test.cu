// SPDX-License-Identifier: MIT
// CUDA against the list of cases that every backend answers.
#include <hone/hone.cuh>

#include <conformance/allowed_classes.hpp>
#include <cuda/device.cuh>

TEST_CASE("losses of targets smoothed over the allowed classes answer as every backend does") {
  conformance::row_losses_of_allowed<device::conformance>();
}
