// SPDX-License-Identifier: MIT
// The CPU against the list of cases that every backend answers: boxes.
#include <hone/hone.hpp>

#include <conformance/boxes.hpp>
#include <cpu/this_machine.hpp>

TEST_CASE("box losses answer as every backend does") { conformance::box_losses<on_this_machine>(); }
TEST_CASE("metrics of pairs answer as every backend does") { conformance::metrics_of_pairs<on_this_machine>(); }
TEST_CASE("matrices of overlaps answer as every backend does") { conformance::matrices_of_overlaps<on_this_machine>(); }
TEST_CASE("boxes are suppressed as every backend does") { conformance::suppressions<on_this_machine>(); }
