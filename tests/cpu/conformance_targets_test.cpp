// SPDX-License-Identifier: MIT
// The CPU backend against the conformance cases of row losses of any target.
#include <hone/hone.hpp>

#include <conformance/rows.hpp>
#include <cpu/this_machine.hpp>

TEST_CASE("the CPU passes the conformance cases of row losses of any target") {
  conformance::row_losses_of_targets<on_this_machine>();
}
