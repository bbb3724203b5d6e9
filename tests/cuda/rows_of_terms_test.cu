// SPDX-License-Identifier: MIT
// The CUDA backend against the conformance cases that every backend must pass.
#include <hone/hone.cuh>

#include <conformance/rows.hpp>
#include <cuda/device.cuh>

TEST_CASE("CUDA passes the conformance cases of sums of terms") {
  conformance::row_losses_of_terms<device::conformance>();
}
