// SPDX-License-Identifier: MIT
// The CUDA backend against the conformance cases of branches.
#include <hone/hone.cuh>

#include <conformance/branches.hpp>
#include <cuda/device.cuh>

TEST_CASE("CUDA passes the conformance cases of branches") { conformance::branches<device::conformance>(); }
