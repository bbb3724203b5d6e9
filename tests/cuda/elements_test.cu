// SPDX-License-Identifier: MIT
// CUDA against the list of cases that every backend answers.
#include <hone/hone.cuh>

#include <conformance/elements.hpp>
#include <cuda/device.cuh>

TEST_CASE("element-wise losses answer as every backend does") { conformance::element_losses<device::conformance>(); }
