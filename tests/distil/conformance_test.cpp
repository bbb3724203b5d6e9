// SPDX-License-Identifier: MIT
// The CPU backend against the conformance cases of teacher labels and teacher means.
#include <hone/hone.hpp>

#include <conformance/distil.hpp>
#include <cpu/this_machine.hpp>

TEST_CASE("the CPU passes the conformance cases of teacher labels and teacher means") {
  conformance::teachers_in_all<on_this_machine>();
}
