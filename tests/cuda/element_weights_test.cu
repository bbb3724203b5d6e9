// SPDX-License-Identifier: MIT
// CUDA against the lists of cases that every backend answers: mixed targets and weights of elements, and narrowing.
#include <hone/hone.cuh>

#include <conformance/element_weights.hpp>
#include <conformance/narrowing.hpp>
#include <cuda/device.cuh>

TEST_CASE("mixed targets and weights of elements answer as every backend does") {
  conformance::weighed_elements<device::conformance>();
}

TEST_CASE("a finite number stays finite where it becomes narrower") { conformance::narrowing<device::conformance>(); }
