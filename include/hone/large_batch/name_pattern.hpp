// SPDX-License-Identifier: MIT
/// Names of parameters by pattern.
#pragma once

#include <hone/core/config.hpp>

#include <cstddef>
#include <string_view>

#include <hone/core/macros_push.hpp>

namespace hone::inline HONE_ABI {

/// Whether a name is of a pattern, from its first to its last letter: `*` stands for any letters, dots too, or none,
/// `?` for any one, every other letter for itself.
///
///     hone::matches("*.bn?.weight", "layer1.0.bn2.weight")  // true
constexpr bool matches(std::string_view pattern, std::string_view name) noexcept {
  std::size_t p = 0, n = 0, star = std::string_view::npos, after = 0;  // the last star, and where it ends in the name
  while (n < name.size()) {
    if (p < pattern.size() && pattern[p] == '*') {
      star = p++, after = n;
    } else if (p < pattern.size() && (pattern[p] == '?' || pattern[p] == name[n])) {
      ++p, ++n;
    } else if (star != std::string_view::npos) {
      p = star + 1, n = ++after;  // the star takes one letter more
    } else {
      return false;
    }
  }
  while (p < pattern.size() && pattern[p] == '*') ++p;
  return p == pattern.size();
}

}  // namespace hone::inline HONE_ABI

#include <hone/core/macros_pop.hpp>
