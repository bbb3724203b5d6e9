// SPDX-License-Identifier: MIT
// The CUDA backend against the conformance cases of channel scales.
#include <hone/hone.cuh>

#include <conformance/channel_scale.hpp>
#include <cuda/device.cuh>

TEST_CASE("CUDA passes the conformance cases of channel scales") { conformance::channel_scales<device::conformance>(); }
