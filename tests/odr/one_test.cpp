// SPDX-License-Identifier: MIT
// This file and other_test.cpp include everything and instantiate the same functions; the test is that they link.
#include "odr/evaluate.hpp"

#include <doctest/doctest.h>

TEST_CASE("two translation units that include all headers link and give the same loss") {
  CHECK(odr::loss() == odr::elsewhere());
  CHECK(odr::loss() > 0);
}
