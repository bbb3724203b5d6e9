// SPDX-License-Identifier: MIT
// CUDA against the list of cases that every backend answers: labels and means of teachers.
#include <hone/hone.cuh>

#include <conformance/distil.hpp>
#include <cuda/device.cuh>

TEST_CASE("labels and means of teachers are as on every backend") {
  conformance::teachers_in_all<device::conformance>();
}
