// SPDX-License-Identifier: MIT
// The CPU against the list of cases that every backend answers: what follows a backward pass.
#include <hone/hone.hpp>

#include <conformance/averages.hpp>
#include <conformance/gradient_edges.hpp>
#include <conformance/gradients.hpp>
#include <cpu/this_machine.hpp>

TEST_CASE("gradients are changed as every backend does") { conformance::gradients<on_this_machine>(); }
TEST_CASE("gradients at the edges of their types") { conformance::gradient_edges<on_this_machine>(); }
TEST_CASE("averages answer as every backend does") { conformance::averages<on_this_machine>(); }
