// SPDX-License-Identifier: MIT
// The CPU against the list of cases that every backend answers: element-wise losses.
#include <hone/hone.hpp>

#include <conformance/elements.hpp>
#include <cpu/this_machine.hpp>

TEST_CASE("element-wise losses answer as every backend does") { conformance::element_losses<on_this_machine>(); }
