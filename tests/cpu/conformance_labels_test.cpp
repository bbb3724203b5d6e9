// SPDX-License-Identifier: MIT
// The CPU backend against the conformance cases of row losses of labels.
#include <hone/hone.hpp>

#include <conformance/row_facts.hpp>
#include <conformance/rows.hpp>
#include <cpu/this_machine.hpp>

TEST_CASE("the CPU passes the conformance cases of row losses of labels") {
  conformance::row_losses_of_labels<on_this_machine>();
}
TEST_CASE("the CPU tells the log-sum-exp and the class of rows, and counts them") {
  conformance::row_facts_of_labels<on_this_machine>();
}
