// SPDX-License-Identifier: MIT
// The CPU backend against the conformance cases of the Lovász-Softmax loss.
#include <hone/hone.hpp>

#include <conformance/lovasz.hpp>
#include <cpu/this_machine.hpp>

TEST_CASE("the CPU passes the conformance cases of Lovasz-Softmax") { conformance::lovasz_losses<on_this_machine>(); }
