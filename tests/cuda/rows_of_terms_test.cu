// SPDX-License-Identifier: MIT
// CUDA against the list of cases that every backend answers.
#include <hone/hone.cuh>

#include <conformance/rows.hpp>
#include <cuda/device.cuh>

TEST_CASE("sums of terms answer as every backend does") { conformance::row_losses_of_terms<device::conformance>(); }
