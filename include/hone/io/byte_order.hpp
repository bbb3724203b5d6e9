// SPDX-License-Identifier: MIT
/// Words in the byte order of files: little-endian on every machine.
#pragma once

#include <hone/core/config.hpp>

#include <algorithm>
#include <bit>
#include <cstddef>

#include <hone/core/macros_push.hpp>

namespace hone::inline HONE_ABI::detail {

/// Converts `size` bytes, in words of `word` bytes, from the machine's byte order to that of files, or back.
inline void swap_file_order(std::byte* data, std::size_t size, std::size_t word) noexcept {
  if constexpr (std::endian::native != std::endian::little)
    for (std::size_t at = 0; at + word <= size; at += word) std::reverse(data + at, data + at + word);
}

}  // namespace hone::inline HONE_ABI::detail

#include <hone/core/macros_pop.hpp>
