// SPDX-License-Identifier: MIT
// The CUDA backend against the conformance cases that every backend must pass.
#include <hone/hone.cuh>

#include <conformance/teachers.hpp>
#include <cuda/device.cuh>

TEST_CASE("CUDA passes the conformance cases of divergences") {
  conformance::row_losses_of_divergences<device::conformance>();
}
TEST_CASE("CUDA passes the conformance cases of decoupled distillation") {
  conformance::row_losses_of_decoupled<device::conformance>();
}
TEST_CASE("CUDA passes the conformance cases of sparse teachers") {
  conformance::row_losses_of_lists<device::conformance>();
}
