// SPDX-License-Identifier: MIT
// CUDA against the list of cases that every backend answers.
#include <hone/hone.cuh>

#include <conformance/boxes.hpp>
#include <cuda/device.cuh>

TEST_CASE("box losses answer as every backend does") { conformance::box_losses<device::conformance>(); }
TEST_CASE("matrices of overlaps answer as every backend does") {
  conformance::matrices_of_overlaps<device::conformance>();
}
