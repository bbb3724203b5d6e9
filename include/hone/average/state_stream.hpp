// SPDX-License-Identifier: MIT
/// The format of a saved state: a header of 48 bytes, 24 bytes per tensor (rows; columns; 1 if it is
/// copied), the numbers of all tensors in order, and the CRC-32C of all bytes before. All words are
/// little-endian on every machine.
#pragma once

#include <hone/core/error.hpp>
#include <hone/core/number.hpp>
#include <hone/io/byte_order.hpp>
#include <hone/io/checksum.hpp>
#include <hone/io/io_error.hpp>

#include <cstddef>
#include <cstdint>
#include <cstring>

#include <hone/core/macros_push.hpp>

namespace hone::inline HONE_ABI::detail {

struct state_header {
  char magic[8] = {'h', 'o', 'n', 'e', '.', 'e', 'm', 'a'};
  std::uint32_t byte_order = 0x01020304;
  std::uint32_t version = 1;
  std::uint32_t number_bytes = 0;
  std::uint32_t from_zero = 0;
  std::uint64_t tensors = 0;
  std::int64_t steps = 0;
  double start = 0;
};
static_assert(sizeof(state_header) == 48 && std::is_trivially_copyable_v<state_header>);

/// A header in the byte order of files.
struct saved_header {
  std::byte at[sizeof(state_header)];

  saved_header() = default;
  explicit saved_header(state_header const& h) noexcept {
    std::memcpy(at, &h, sizeof at);
    swap();
  }
  state_header header() const noexcept {
    saved_header own = *this;
    own.swap();
    state_header h;
    std::memcpy(static_cast<void*>(&h), own.at, sizeof h);
    return h;
  }

 private:
  void swap() noexcept {
    constexpr std::size_t words_of_4 = offsetof(state_header, byte_order), words_of_8 = offsetof(state_header, tensors);
    swap_file_order(at + words_of_4, words_of_8 - words_of_4, 4);
    swap_file_order(at + words_of_8, sizeof at - words_of_8, 8);
  }
};

struct tensor_record {
  std::int64_t rows, columns;
  std::int64_t copied;

  /// Returns rows · columns, or -1 if a size is negative or the product overflows.
  std::int64_t size() const noexcept {
    std::int64_t product = 0;
    return rows < 0 || columns < 0 || __builtin_mul_overflow(rows, columns, &product) ? -1 : product;
  }
};
static_assert(sizeof(tensor_record) == 24);

/// Passes words to sink(data, size) in the byte order of files, and at the end the checksum of their bytes.
template <class Sink>
class checked_sink {
 public:
  explicit checked_sink(Sink& sink) : sink_(sink) {}

  void operator()(void const* data, std::size_t size, std::size_t word) {
    if constexpr (std::endian::native == std::endian::little) {
      pass(data, size);
    } else {
      std::byte some[4096];
      for (std::size_t at = 0, n = 0; at < size; at += n) {
        n = std::min(size - at, sizeof some);
        std::memcpy(some, static_cast<std::byte const*>(data) + at, n);
        swap_file_order(some, n, word);
        pass(some, n);
      }
    }
  }
  void operator()(saved_header const& h) { pass(h.at, sizeof h.at); }
  void finish() {
    const std::uint32_t crc = crc_.value();
    (*this)(&crc, sizeof crc, sizeof crc);
  }

 private:
  void pass(void const* data, std::size_t size) {
    crc_.add(data, size);
    sink_(data, size);
  }

  Sink& sink_;
  crc32c crc_;
};

/// Reads by source(data, size), which returns the number of bytes read. Throws if there are too few.
template <class Source>
class checked_source {
 public:
  checked_source(Source& source, const char* where) : source_(source), where_(where) {}

  void operator()(void* data, std::size_t size, std::size_t word) {
    take(data, size);
    crc_.add(data, size);
    swap_file_order(static_cast<std::byte*>(data), size, word);
  }
  state_header header() {
    saved_header h;
    (*this)(h.at, sizeof h.at, 1);
    return h.header();
  }
  void finish() {
    std::uint32_t crc = 0;
    take(&crc, sizeof crc);
    swap_file_order(reinterpret_cast<std::byte*>(&crc), sizeof crc, sizeof crc);
    if (crc != crc_.value())
      fail("%s: the state is damaged: its checksum is %08x, that of its bytes %08x", where_, unsigned(crc),
           unsigned(crc_.value()));
  }
  void require_end() {
    std::byte more{};
    if (source_(&more, 1) > 0) fail("%s: the state ends after %zu bytes, and more follow", where_, taken_);
  }

 private:
  void take(void* data, std::size_t size) {
    const std::size_t got = source_(data, size);
    taken_ += got;
    if (got < size) fail("%s: the state ends after %zu bytes, in the middle", where_, taken_);
  }

  Source& source_;
  const char* where_;
  std::size_t taken_ = 0;
  crc32c crc_;
};

/// Checks that a saved state can be loaded into this one.
inline void require_header(const char* where, state_header const& is, state_header const& own) {
  if (std::memcmp(is.magic, own.magic, sizeof own.magic) != 0) fail("%s: the bytes are no state of an average", where);
  if (is.byte_order != own.byte_order)
    fail("%s: the state has byte order %08x, this machine has %08x", where, unsigned(is.byte_order),
         unsigned(own.byte_order));
  if (is.version != own.version)
    fail("%s: the state has version %u, must be %u", where, unsigned(is.version), unsigned(own.version));
  if (is.number_bytes != own.number_bytes)
    fail("%s: the numbers saved have %u bytes, those of the state %u", where, unsigned(is.number_bytes),
         unsigned(own.number_bytes));
  if (is.tensors != own.tensors)
    fail("%s: %ju tensors were saved, the state has %ju", where, std::uintmax_t(is.tensors),
         std::uintmax_t(own.tensors));
  if (is.from_zero != own.from_zero)
    fail("%s: what was saved began at %s, the state at %s", where, is.from_zero ? "zero" : "a copy",
         own.from_zero ? "zero" : "a copy");
}
/// Checks values that the checksum does not cover: impossible ones. `steps` above max_updates would overflow.
inline constexpr std::int64_t max_updates = std::int64_t(1) << 62;
inline void require_progress(const char* where, state_header const& is) {
  if (is.steps < 0 || is.steps > max_updates)
    fail("%s: the state has made %jd updates, must be in [0, 2^62]", where, std::intmax_t(is.steps));
  const bool right = is.from_zero == 0 ? is.start == 0 : is.steps == 0 ? is.start == 1 : is.start >= 0 && is.start <= 1;
  if (!right || !finite(is.start))
    fail("%s: the state gives the zeros that it began with a weight of %.9g after %jd updates, which cannot be", where,
         is.start, std::intmax_t(is.steps));
}

/// Checks a saved tensor. A tensor without a shape (a single row) matches any shape of its size.
inline void require_record(const char* where, std::size_t i, tensor_record const& is, tensor_record const& own) {
  if (is.size() < 0)
    fail("%s: tensor %zu was saved as %jd x %jd, which cannot be", where, i, std::intmax_t(is.rows),
         std::intmax_t(is.columns));
  if (is.size() != own.size())
    fail("%s: tensor %zu was saved with %jd numbers, that of the state has %jd", where, i, std::intmax_t(is.size()),
         std::intmax_t(own.size()));
  if (is.rows != own.rows && is.rows != 1 && own.rows != 1)
    fail("%s: tensor %zu was saved as %jd x %jd, that of the state is %jd x %jd", where, i, std::intmax_t(is.rows),
         std::intmax_t(is.columns), std::intmax_t(own.rows), std::intmax_t(own.columns));
  if (is.copied != own.copied)
    fail("%s: tensor %zu was saved as %s, that of the state is %s", where, i, is.copied ? "copied" : "averaged",
         own.copied ? "copied" : "averaged");
}

}  // namespace hone::inline HONE_ABI::detail

#include <hone/core/macros_pop.hpp>
