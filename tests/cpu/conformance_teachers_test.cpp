// SPDX-License-Identifier: MIT
// The CPU backend against the conformance cases of teachers.
#include <hone/hone.hpp>

#include <conformance/teachers.hpp>
#include <cpu/this_machine.hpp>

TEST_CASE("the CPU passes the conformance cases of divergences") {
  conformance::row_losses_of_divergences<on_this_machine>();
}
TEST_CASE("the CPU passes the conformance cases of decoupled distillation") {
  conformance::row_losses_of_decoupled<on_this_machine>();
}
TEST_CASE("the CPU passes the conformance cases of sparse teachers") {
  conformance::row_losses_of_lists<on_this_machine>();
}
