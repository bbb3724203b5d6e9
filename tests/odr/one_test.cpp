// SPDX-License-Identifier: MIT
// This and other_test.cpp include everything and instantiate the same functions; that they link is the test.
#include "odr/evaluate.hpp"

#include <doctest/doctest.h>

TEST_CASE("two translation units that include everything link and agree") {
  CHECK(odr::loss() == odr::elsewhere());
  CHECK(odr::loss() > 0);
}
