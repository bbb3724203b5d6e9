// SPDX-License-Identifier: MIT
// The CUDA backend against the conformance cases of drop block.
#include <hone/hone.cuh>

#include <conformance/drop_block.hpp>
#include <cuda/device.cuh>

TEST_CASE("CUDA passes the conformance cases of drop block") { conformance::drop_blocks<device::conformance>(); }
