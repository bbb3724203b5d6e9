// SPDX-License-Identifier: MIT
/// Whether memory is unchanged, whatever its numbers are: NaN is equal to itself here, and -0 is not 0.
#pragma once

#include <cstddef>
#include <cstring>

namespace support {

inline bool same_bytes(void const* a, void const* b, std::size_t size) {
  return size == 0 || std::memcmp(a, b, size) == 0;  // memcmp takes no null pointers
}

}  // namespace support
