// SPDX-License-Identifier: MIT
/// CRC-32C (Castagnoli) as in iSCSI and ext4: polynomial 0x1EDC6F41, reflected, all bits inverted at both ends.
#pragma once

#include <hone/core/config.hpp>

#include <array>
#include <bit>
#include <cstddef>
#include <cstdint>
#include <cstring>

#include <hone/core/macros_push.hpp>

namespace hone::inline HONE_ABI::detail {

using crc_tables = std::array<std::array<std::uint32_t, 256>, 8>;

/// Returns eight tables. Table k holds the effect of a byte that is followed by k more bytes. No constant, because the
/// compiler would compute it in every program, which takes longer than reading the files of hone/io.
inline crc_tables make_crc_tables() noexcept {
  crc_tables t{};
  for (std::uint32_t byte = 0; byte < 256; ++byte) {
    std::uint32_t x = byte;
    for (int bit = 0; bit < 8; ++bit) x = x >> 1 ^ (x & 1 ? 0x82F63B78u : 0u);
    t[0][byte] = x;
  }
  for (std::size_t k = 1; k < 8; ++k)
    for (std::size_t byte = 0; byte < 256; ++byte) t[k][byte] = t[k - 1][byte] >> 8 ^ t[0][t[k - 1][byte] & 0xff];
  return t;
}
inline crc_tables const& crc_of_byte() noexcept {
  static const crc_tables tables = make_crc_tables();
  return tables;
}

/// Processes eight bytes at a time on little-endian machines.
class crc32c {
 public:
  void add(void const* data, std::size_t size) noexcept {
    auto const& t = crc_of_byte();
    auto const* at = static_cast<unsigned char const*>(data);
    if constexpr (std::endian::native == std::endian::little)
      for (; size >= 8; size -= 8, at += 8) {
        std::uint32_t low = 0, high = 0;
        std::memcpy(&low, at, 4);
        std::memcpy(&high, at + 4, 4);
        low ^= remainder_;
        remainder_ = t[7][low & 0xff] ^ t[6][low >> 8 & 0xff] ^ t[5][low >> 16 & 0xff] ^ t[4][low >> 24] ^
                     t[3][high & 0xff] ^ t[2][high >> 8 & 0xff] ^ t[1][high >> 16 & 0xff] ^ t[0][high >> 24];
      }
    for (; size > 0; --size, ++at) remainder_ = remainder_ >> 8 ^ t[0][(remainder_ ^ *at) & 0xff];
  }
  std::uint32_t value() const noexcept { return ~remainder_; }

 private:
  std::uint32_t remainder_ = ~std::uint32_t(0);
};

}  // namespace hone::inline HONE_ABI::detail

#include <hone/core/macros_pop.hpp>
