// SPDX-License-Identifier: MIT
/// The bytes of a file of teacher outputs, little-endian on every machine (docs/distillation.md has the table): a
/// header of 64 bytes and a record per row, each with its own checksum, so that any row can be read alone.
#pragma once

#include <hone/core/error.hpp>
#include <hone/core/number.hpp>
#include <hone/io/checksum.hpp>

#include <bit>
#include <cstddef>
#include <cstdint>
#include <cstring>

#include <hone/core/macros_push.hpp>

namespace hone::inline HONE_ABI::detail {

template <class Unsigned>
void put(unsigned char*& at, Unsigned x) noexcept {
  for (std::size_t i = 0; i < sizeof x; ++i) *at++ = static_cast<unsigned char>(std::uint64_t(x) >> 8 * i & 0xff);
}
template <class Unsigned>
Unsigned get(unsigned char const*& at) noexcept {
  std::uint64_t x = 0;
  for (std::size_t i = 0; i < sizeof(Unsigned); ++i) x |= std::uint64_t(*at++) << 8 * i;
  return static_cast<Unsigned>(x);
}
inline std::uint32_t checksum_of(unsigned char const* data, std::size_t size) noexcept {
  crc32c crc;
  crc.add(data, size);
  return crc.value();
}

struct teacher_header {
  static constexpr std::size_t bytes = 64;
  static constexpr std::uint32_t newest = 1;
  static constexpr char magic[8] = {'h', 'o', 'n', 'e', '.', 't', 'k', 'd'};

  index rows = 0, classes = 0, k = 0;
  double temperature = 1;

  std::size_t class_bytes() const noexcept { return classes <= 65536 ? 2 : 4; }
  /// The log-probability of the unlisted classes, k halves, k classes, and the checksum of these.
  std::size_t record_bytes() const noexcept { return 4 + std::size_t(k) * (2 + class_bytes()) + 4; }
  std::int64_t place_of(index row) const noexcept { return std::int64_t(bytes) + row * std::int64_t(record_bytes()); }

  void write(unsigned char (&to)[bytes]) const noexcept {
    unsigned char* at = to;
    std::memcpy(at, magic, sizeof magic);
    at += sizeof magic;
    put(at, newest), put(at, std::uint32_t(class_bytes()));
    put(at, std::uint64_t(rows)), put(at, std::uint64_t(classes)), put(at, std::uint64_t(k));
    put(at, std::bit_cast<std::uint64_t>(temperature));
    put(at, std::uint64_t(0)), put(at, std::uint32_t(0));
    put(at, checksum_of(to, bytes - 4));
  }
  /// Throws hone::invalid_argument if the bytes are not such a header, or its numbers are out of range.
  void read(const char* where, unsigned char const (&from)[bytes]) {
    unsigned char const* at = from + sizeof magic;
    if (std::memcmp(from, magic, sizeof magic) != 0) fail("%s: the bytes are no file of teacher outputs", where);
    const auto version = get<std::uint32_t>(at), class_size = get<std::uint32_t>(at);
    if (version != newest) fail("%s: the file has version %u, must be %u", where, unsigned(version), unsigned(newest));
    rows = index(get<std::uint64_t>(at)), classes = index(get<std::uint64_t>(at)), k = index(get<std::uint64_t>(at));
    temperature = std::bit_cast<double>(get<std::uint64_t>(at));
    at = from + bytes - 4;
    const auto crc = get<std::uint32_t>(at), own = checksum_of(from, bytes - 4);
    if (crc != own)
      fail("%s: the header is damaged: its checksum is %08x, that of its bytes %08x", where, unsigned(crc),
           unsigned(own));
    if (rows < 0 || classes < 1 || classes > max_classes || k < 1 || k > classes || class_size != class_bytes() ||
        !(temperature > 0 && finite(temperature)))
      fail("%s: the header tells of %jd rows, %jd classes, k of %jd, temperature %.9g, which cannot be", where,
           std::intmax_t(rows), std::intmax_t(classes), std::intmax_t(k), temperature);
  }

  static constexpr index max_classes = index(1) << 30;
};

}  // namespace hone::inline HONE_ABI::detail

#include <hone/core/macros_pop.hpp>
