// SPDX-License-Identifier: MIT
// The CUDA backend against the conformance cases of mixed targets, element weights and narrowing.
#include <hone/hone.cuh>

#include <conformance/element_weights.hpp>
#include <conformance/narrowing.hpp>
#include <cuda/device.cuh>

TEST_CASE("CUDA passes the conformance cases of mixed targets and element weights") {
  conformance::weighed_elements<device::conformance>();
}

TEST_CASE("the CUDA backend keeps finite numbers finite when narrowing") {
  conformance::narrowing<device::conformance>();
}
