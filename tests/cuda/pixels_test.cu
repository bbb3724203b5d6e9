// SPDX-License-Identifier: MIT
// The CUDA backend against the conformance cases of pixels.
#include <hone/hone.cuh>

#include <conformance/pixels.hpp>
#include <cuda/device.cuh>

TEST_CASE("CUDA passes the conformance cases of pixels") { conformance::pixels<device::conformance>(); }
