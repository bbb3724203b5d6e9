// SPDX-License-Identifier: MIT
// The CPU backend against the conformance cases of element-wise losses.
#include <hone/hone.hpp>

#include <conformance/elements.hpp>
#include <cpu/this_machine.hpp>

TEST_CASE("the CPU passes the conformance cases of element-wise losses") {
  conformance::element_losses<on_this_machine>();
}
