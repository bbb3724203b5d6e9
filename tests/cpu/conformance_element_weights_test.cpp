// SPDX-License-Identifier: MIT
// The CPU against the list of cases that every backend answers: mixed targets and weights of element-wise losses.
#include <hone/hone.hpp>

#include <conformance/element_weights.hpp>
#include <cpu/this_machine.hpp>

TEST_CASE("mixed targets and weights of elements answer as every backend does") {
  conformance::weighed_elements<on_this_machine>();
}
