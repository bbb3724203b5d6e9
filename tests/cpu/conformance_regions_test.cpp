// SPDX-License-Identifier: MIT
// The CPU backend against the conformance cases of region losses.
#include <hone/hone.hpp>

#include <conformance/regions.hpp>
#include <cpu/this_machine.hpp>

TEST_CASE("the CPU passes the conformance cases of region losses") { conformance::region_losses<on_this_machine>(); }
