// SPDX-License-Identifier: MIT
// The CPU against the list of cases that every backend answers: labels and means of teachers.
#include <hone/hone.hpp>

#include <conformance/distil.hpp>
#include <cpu/this_machine.hpp>

TEST_CASE("labels and means of teachers are as on every backend") { conformance::teachers_in_all<on_this_machine>(); }
