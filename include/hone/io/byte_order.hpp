// SPDX-License-Identifier: MIT
/// Words as they stand in files: the lowest byte first, whatever the machine.
#pragma once

#include <hone/core/config.hpp>

#include <algorithm>
#include <bit>
#include <cstddef>

#include <hone/core/macros_push.hpp>

namespace hone::inline HONE_ABI::detail {

/// Turns `size` bytes of words, of so many bytes each, from the machine's order into that of files, and back.
inline void swap_file_order(std::byte* data, std::size_t size, std::size_t word) noexcept {
  if constexpr (std::endian::native != std::endian::little)
    for (std::size_t at = 0; at + word <= size; at += word) std::reverse(data + at, data + at + word);
}

}  // namespace hone::inline HONE_ABI::detail

#include <hone/core/macros_pop.hpp>
