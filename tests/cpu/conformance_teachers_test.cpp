// SPDX-License-Identifier: MIT
// The CPU against the list of cases that every backend answers: what a teacher says.
#include <hone/hone.hpp>

#include <conformance/teachers.hpp>
#include <cpu/this_machine.hpp>

TEST_CASE("divergences answer as on every backend") { conformance::row_losses_of_divergences<on_this_machine>(); }
TEST_CASE("decoupled distillation answers as on every backend") {
  conformance::row_losses_of_decoupled<on_this_machine>();
}
TEST_CASE("listed classes answer as on every backend") { conformance::row_losses_of_lists<on_this_machine>(); }
