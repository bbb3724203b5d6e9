// SPDX-License-Identifier: MIT
/// References in long double, which is double on some processors.
#pragma once

#include <doctest/doctest.h>

#include <limits>

namespace support {

/// Whether long double has more digits than double, as a reference for double needs; says so if it has not.
inline bool long_double_is_wider() {
  constexpr bool wider = std::numeric_limits<long double>::digits > std::numeric_limits<double>::digits;
  if (!wider) MESSAGE("SKIPPED: long double is double on this processor, and no reference for double");
  return wider;
}

}  // namespace support
