// SPDX-License-Identifier: MIT
// The CPU backend against the conformance cases of gradient steps and averages.
#include <hone/hone.hpp>

#include <conformance/averages.hpp>
#include <conformance/gradient_edges.hpp>
#include <conformance/gradients.hpp>
#include <cpu/this_machine.hpp>

TEST_CASE("the CPU passes the conformance cases of gradient steps") { conformance::gradients<on_this_machine>(); }
TEST_CASE("the CPU passes the conformance cases of gradients at the edges of their types") {
  conformance::gradient_edges<on_this_machine>();
}
TEST_CASE("the CPU passes the conformance cases of averages") { conformance::averages<on_this_machine>(); }
