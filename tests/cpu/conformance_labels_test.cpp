// SPDX-License-Identifier: MIT
// The CPU against the list of cases that every backend answers: losses of labels.
#include <hone/hone.hpp>

#include <conformance/rows.hpp>
#include <cpu/this_machine.hpp>

TEST_CASE("losses of labels answer as every backend does") { conformance::row_losses_of_labels<on_this_machine>(); }
