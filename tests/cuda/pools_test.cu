// SPDX-License-Identifier: MIT
// The CUDA backend against the conformance cases of pools.
#include <hone/hone.cuh>

#include <conformance/pools.hpp>
#include <cuda/device.cuh>

TEST_CASE("CUDA passes the conformance cases of pools") { conformance::pools<device::conformance>(); }
