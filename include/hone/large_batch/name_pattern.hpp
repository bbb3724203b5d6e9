// SPDX-License-Identifier: MIT
/// Patterns of parameter names.
#pragma once

#include <hone/core/config.hpp>

#include <cstddef>
#include <string_view>

#include <hone/core/macros_push.hpp>

namespace hone::inline HONE_ABI {

/// Returns whether a pattern matches a complete name: `*` matches any number of characters, including dots and none,
/// `?` matches one character, every other character matches itself.
///
///     hone::matches("*.bn?.weight", "layer1.0.bn2.weight")  // true
constexpr bool matches(std::string_view pattern, std::string_view name) noexcept {
  std::size_t p = 0, n = 0, star = std::string_view::npos, after = 0;  // the last star, and the end of its match
  while (n < name.size()) {
    if (p < pattern.size() && pattern[p] == '*') {
      star = p++, after = n;
    } else if (p < pattern.size() && (pattern[p] == '?' || pattern[p] == name[n])) {
      ++p, ++n;
    } else if (star != std::string_view::npos) {
      p = star + 1, n = ++after;  // the star matches one more character
    } else {
      return false;
    }
  }
  while (p < pattern.size() && pattern[p] == '*') ++p;
  return p == pattern.size();
}

}  // namespace hone::inline HONE_ABI

#include <hone/core/macros_pop.hpp>
