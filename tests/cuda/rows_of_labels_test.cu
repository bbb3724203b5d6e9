// SPDX-License-Identifier: MIT
// CUDA against the list of cases that every backend answers.
#include <hone/hone.cuh>

#include <conformance/rows.hpp>
#include <cuda/device.cuh>

TEST_CASE("losses of labels answer as every backend does") { conformance::row_losses_of_labels<device::conformance>(); }
