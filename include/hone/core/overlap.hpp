// SPDX-License-Identifier: MIT
/// Tests whether two arguments of a call share memory. Compares addresses and reads nothing, so device pointers work.
#pragma once

#include <hone/core/error.hpp>
#include <hone/core/numbers.hpp>
#include <hone/core/view.hpp>

#include <cstdint>
#include <span>

#include <hone/core/macros_push.hpp>

namespace hone::inline HONE_ABI::detail {

/// The bytes of an argument: `rows` ranges of `width` bytes, whose first bytes are `stride` bytes apart.
struct footprint {
  std::int64_t begin = 0;
  index rows = 0, width = 0, stride = 0;

  bool empty() const noexcept { return rows <= 0 || width <= 0; }
  std::int64_t end() const noexcept { return begin + (rows - 1) * stride + width; }
};

inline std::int64_t address_of(void const* p) noexcept {
  return static_cast<std::int64_t>(reinterpret_cast<std::uintptr_t>(p));
}

/// Returns the footprint of `size` contiguous objects, of a span, of a view or of numbers; it is empty if data is null.
template <class T>
footprint footprint_of(T const* data, index size) noexcept {
  const index bytes = size * static_cast<index>(sizeof(T));
  return {address_of(data), data ? 1 : 0, bytes, bytes};
}
template <class T>
footprint footprint_of(std::span<T> s) noexcept {
  return footprint_of(s.data(), static_cast<index>(s.size()));
}
template <class T>
footprint footprint_of(matrix_view<T> v) noexcept {
  constexpr auto bytes = static_cast<index>(sizeof(T));
  return {address_of(v.data), v.data ? v.rows : 0, v.columns * bytes, v.row_stride * bytes};
}
template <class T>
footprint footprint_of(image_view<T> v) noexcept {
  return footprint_of(v.data, v.images * v.channels * v.pixels);
}
inline footprint footprint_of(numbers const& x) noexcept {
  return footprint_of(static_cast<char const*>(x.data()), x.size() * x.number_bytes());
}

/// Returns true if a row of a and a row of b share a byte; both have the stride s > 0. Row i of a and row j of b do if
/// (i - j) s lies strictly between distance - a.width and distance + b.width.
inline bool rows_meet(footprint const& a, footprint const& b, index s) noexcept {
  const index distance = b.begin - a.begin, above = distance - a.width;
  index k = above / s - (above % s < 0) + 1;  // the smallest integer with k s > above
  if (k < 1 - b.rows) k = 1 - b.rows;
  return k < a.rows && k * s < distance + b.width;
}

/// Returns true if a and b share a byte. Interleaved columns of one buffer do not. Takes constant time unless the
/// strides differ and the ranges overlap; then it is linear in the rows of one of them.
inline bool overlap(footprint const& a, footprint const& b) noexcept {
  if (a.empty() || b.empty() || a.end() <= b.begin || b.end() <= a.begin) return false;
  if (a.rows == 1) return b.rows == 1 || rows_meet(a, b, b.stride);
  if (b.rows == 1 || a.stride == b.stride) return rows_meet(a, b, a.stride);
  if (a.rows > b.rows) return overlap(b, a);
  for (footprint row{a.begin, 1, a.width, a.width}; row.begin < a.end(); row.begin += a.stride)
    if (overlap(row, b)) return true;
  return false;
}

/// Returns true if a and b are the same bytes in the same order.
inline bool same_memory(footprint const& a, footprint const& b) noexcept {
  return a.begin == b.begin && a.rows == b.rows && a.width == b.width && (a.rows <= 1 || a.stride == b.stride);
}

[[gnu::noinline]] inline void require_apart(const char* function, const char* name, footprint const& a,
                                            const char* other, footprint const& b) {
  if (overlap(a, b))
    fail("%s: %s and %s overlap, %s begins %jd bytes after %s; they must be apart", function, name, other, name,
         std::intmax_t(a.begin - b.begin), other);
}
[[gnu::noinline]] inline void require_same_or_apart(const char* function, const char* name, footprint const& a,
                                                    const char* other, footprint const& b) {
  if (!same_memory(a, b) && overlap(a, b))
    fail("%s: %s and %s overlap in part, %s begins %jd bytes after %s; they must be the same or apart", function, name,
         other, name, std::intmax_t(a.begin - b.begin), other);
}

/// An argument of a call: its name and its bytes.
struct named_footprint {
  const char* name;
  footprint bytes;
};
/// Fails if one of some arguments shares memory with one of the others, or with another.
inline void require_apart(const char* function, std::span<named_footprint const> some, named_footprint const& other) {
  for (auto const& [name, bytes] : some) require_apart(function, name, bytes, other.name, other.bytes);
}
inline void require_apart(const char* function, std::span<named_footprint const> some,
                          std::span<named_footprint const> others) {
  for (named_footprint const& other : others) require_apart(function, some, other);
}
/// Fails if two of the arguments share memory.
inline void require_apart_among(const char* function, std::span<named_footprint const> all) {
  for (std::size_t i = 1; i < all.size(); ++i)
    for (named_footprint const& other : all.first(i)) require_apart(function, all.subspan(i, 1), other);
}

}  // namespace hone::inline HONE_ABI::detail

#include <hone/core/macros_pop.hpp>
