// SPDX-License-Identifier: MIT
// The CPU against the list of cases that every backend answers: sums of row terms.
#include <hone/hone.hpp>

#include <conformance/rows.hpp>
#include <cpu/this_machine.hpp>

TEST_CASE("sums of terms answer as every backend does") { conformance::row_losses_of_terms<on_this_machine>(); }
