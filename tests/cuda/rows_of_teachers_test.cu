// SPDX-License-Identifier: MIT
// CUDA against the list of cases that every backend answers.
#include <hone/hone.cuh>

#include <conformance/teachers.hpp>
#include <cuda/device.cuh>

TEST_CASE("divergences answer as on every backend") { conformance::row_losses_of_divergences<device::conformance>(); }
TEST_CASE("decoupled distillation answers as on every backend") {
  conformance::row_losses_of_decoupled<device::conformance>();
}
TEST_CASE("listed classes answer as on every backend") { conformance::row_losses_of_lists<device::conformance>(); }
