// SPDX-License-Identifier: MIT
// The CPU against the list of cases that every backend answers: losses of any target.
#include <hone/hone.hpp>

#include <conformance/rows.hpp>
#include <cpu/this_machine.hpp>

TEST_CASE("losses of any target answer as every backend does") {
  conformance::row_losses_of_targets<on_this_machine>();
}
