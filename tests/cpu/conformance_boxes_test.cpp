// SPDX-License-Identifier: MIT
// The CPU backend against the conformance cases of boxes.
#include <hone/hone.hpp>

#include <conformance/boxes.hpp>
#include <cpu/this_machine.hpp>

TEST_CASE("the CPU passes the conformance cases of box losses") { conformance::box_losses<on_this_machine>(); }
TEST_CASE("the CPU passes the conformance cases of pairwise metrics") {
  conformance::metrics_of_pairs<on_this_machine>();
}
TEST_CASE("the CPU passes the conformance cases of overlap matrices") {
  conformance::matrices_of_overlaps<on_this_machine>();
}
TEST_CASE("the CPU passes the conformance cases of nms") { conformance::suppressions<on_this_machine>(); }
