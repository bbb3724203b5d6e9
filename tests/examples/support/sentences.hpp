// SPDX-License-Identifier: MIT
/// What sentences are tested with.
#pragma once

#include <doctest/doctest.h>

#include <string>

namespace test {

/// Tells what the text is where it does not begin so.
inline bool begins(const std::string& text, const std::string& with) {
  if (!text.starts_with(with)) MESSAGE("it says: " << text);
  return text.starts_with(with);
}

}  // namespace test
