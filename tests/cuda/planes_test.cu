// SPDX-License-Identifier: MIT
// The CUDA backend against the conformance cases of planes.
#include <hone/hone.cuh>

#include <conformance/planes.hpp>
#include <cuda/device.cuh>

TEST_CASE("CUDA passes the conformance cases of planes") { conformance::planes<device::conformance>(); }
