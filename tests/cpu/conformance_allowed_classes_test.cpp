// SPDX-License-Identifier: MIT
// The CPU against the list of cases that every backend answers: losses of any target.
#include <hone/hone.hpp>

#include <conformance/allowed_classes.hpp>
#include <cpu/this_machine.hpp>

TEST_CASE("losses of targets smoothed over the allowed classes answer as every backend does") {
  conformance::row_losses_of_allowed<on_this_machine>();
}
