// SPDX-License-Identifier: MIT
/// Patterns of parameter names.
#pragma once

#include <hone/core/error.hpp>

#include <cstddef>
#include <iterator>
#include <string_view>
#include <vector>

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

namespace detail {

/// Returns which of `count` names match a pattern. Fails if there are more or fewer names, or if a pattern matches
/// none.
template <class Names, class Patterns>
std::vector<bool> matching(const char* function, Names const& names, std::size_t count, Patterns const& patterns) {
  if (std::size(names) != count) fail("%s: %zu names for %zu tensors", function, std::size(names), count);
  std::vector<bool> chosen(count);
  for (std::string_view const pattern : patterns) {
    bool used = false;
    for (std::size_t i = 0; i < count; ++i)
      if (matches(pattern, names[i])) chosen[i] = used = true;
    if (!used) fail("%s: \"%.*s\" matches no name", function, static_cast<int>(pattern.size()), pattern.data());
  }
  return chosen;
}

}  // namespace detail

}  // namespace hone::inline HONE_ABI

#include <hone/core/macros_pop.hpp>
