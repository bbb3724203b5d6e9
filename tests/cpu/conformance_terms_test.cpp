// SPDX-License-Identifier: MIT
// The CPU backend against the conformance cases of sums of row terms.
#include <hone/hone.hpp>

#include <conformance/rows.hpp>
#include <cpu/this_machine.hpp>

TEST_CASE("the CPU passes the conformance cases of sums of terms") {
  conformance::row_losses_of_terms<on_this_machine>();
}
