// SPDX-License-Identifier: MIT
// The CPU backend against the conformance cases of targets smoothed over the allowed classes.
#include <hone/hone.hpp>

#include <conformance/allowed_classes.hpp>
#include <cpu/this_machine.hpp>

TEST_CASE("the CPU passes the conformance cases of targets smoothed over the allowed classes") {
  conformance::row_losses_of_allowed<on_this_machine>();
}
