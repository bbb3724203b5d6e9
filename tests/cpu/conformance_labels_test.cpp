// SPDX-License-Identifier: MIT
// The CPU backend against the conformance cases of row losses of labels.
#include <hone/hone.hpp>

#include <conformance/rows.hpp>
#include <cpu/this_machine.hpp>

TEST_CASE("the CPU passes the conformance cases of row losses of labels") {
  conformance::row_losses_of_labels<on_this_machine>();
}
