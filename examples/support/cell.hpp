// SPDX-License-Identifier: MIT
/// Cells of a table of text.
#pragma once

#include <string>

namespace demo {

enum class align { left, right };

/// Filled to a width in characters; bytes that continue a UTF-8 character do not count.
inline std::string cell(const std::string& text, std::size_t width, align to = align::right) {
  std::size_t length = 0;
  for (const char c : text) length += (static_cast<unsigned char>(c) & 0xc0) != 0x80 ? 1 : 0;
  const std::string fill(width > length ? width - length : 0, ' ');
  return to == align::left ? text + fill : fill + text;
}

}  // namespace demo
