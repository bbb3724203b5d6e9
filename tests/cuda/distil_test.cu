// SPDX-License-Identifier: MIT
// The CUDA backend against the conformance cases that every backend must pass: labels and means of teachers.
#include <hone/hone.cuh>

#include <conformance/distil.hpp>
#include <cuda/device.cuh>

TEST_CASE("CUDA passes the conformance cases of teacher labels and teacher means") {
  conformance::teachers_in_all<device::conformance>();
}
