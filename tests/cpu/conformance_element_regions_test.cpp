// SPDX-License-Identifier: MIT
// The CPU backend against the conformance cases of region losses of sigmoids.
#include <hone/hone.hpp>

#include <conformance/element_regions.hpp>
#include <cpu/this_machine.hpp>

TEST_CASE("the CPU passes the conformance cases of sigmoid region losses") {
  conformance::sigmoid_region_losses<on_this_machine>();
}
