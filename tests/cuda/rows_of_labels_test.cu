// SPDX-License-Identifier: MIT
// The CUDA backend against the conformance cases that every backend must pass.
#include <hone/hone.cuh>

#include <conformance/row_facts.hpp>
#include <conformance/rows.hpp>
#include <cuda/device.cuh>

TEST_CASE("CUDA passes the conformance cases of row losses of labels") {
  conformance::row_losses_of_labels<device::conformance>();
}
TEST_CASE("CUDA tells the log-sum-exp and the class of rows, and counts them") {
  conformance::row_facts_of_labels<device::conformance>();
}
