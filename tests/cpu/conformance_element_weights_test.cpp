// SPDX-License-Identifier: MIT
// The CPU backend against the conformance cases of mixed targets and element weights.
#include <hone/hone.hpp>

#include <conformance/element_weights.hpp>
#include <cpu/this_machine.hpp>

TEST_CASE("the CPU passes the conformance cases of mixed targets and element weights") {
  conformance::weighed_elements<on_this_machine>();
}
