// SPDX-License-Identifier: MIT
/// What pools of planes share: their sizes, their checks, and one axis of a window. A pool is a sum over the rows of a
/// window of sums over its columns, so each axis alone says which places of the input an output reads.
#pragma once

#include <hone/structure/plane_check.hpp>

#include <hone/core/macros_push.hpp>

namespace hone::inline HONE_ABI {

/// Height and width of a plane.
struct plane_size {
  index height = 0, width = 0;

  friend constexpr bool operator==(plane_size const&, plane_size const&) = default;
};

namespace detail {

/// Returns a / b for a in [0, 2^32) and b in [1, 2^32). A GPU divides 64 bits with a call.
HONE_HD constexpr index quotient(index a, index b) noexcept {
  return static_cast<index>(static_cast<std::uint32_t>(a) / static_cast<std::uint32_t>(b));
}

/// The windows of one axis: window o has the places [o stride, o stride + size).
struct pool_windows {
  index size = 1, stride = 1, count = 0;

  HONE_HD constexpr index begin(index o) const noexcept { return o * stride; }
  /// The windows [first, last) that contain place i.
  HONE_HD constexpr index first(index i) const noexcept { return i < size ? 0 : quotient(i - size, stride) + 1; }
  HONE_HD constexpr index last(index i) const noexcept {
    const index after = quotient(i, stride) + 1;
    return after < count ? after : count;
  }
};

inline void require_length(const char* function, const char* name, index length, index end = index(1) << 31,
                           const char* range = "less than 2^31") {
  require(length >= 1, function, name, length, "at least 1");
  require(length < end, function, name, length, range);
}

/// Fails unless the planes of an image have this size.
template <class T>
void require_plane_size(const char* function, const char* name, image_view<T> v, plane_size size) {
  if (product_of_sizes(size.height, size.width) != v.pixels)
    fail("%s: %s has %jd pixels, size is %jd x %jd", function, name, std::intmax_t(v.pixels),
         std::intmax_t(size.height), std::intmax_t(size.width));
}

/// The checks of a pool and its backward pass. large has planes of the size `from`, small those of the size `to`; they
/// are x and y, or dx and dy.
template <class T, class U>
void require_pooled(const char* function, const char* large_name, image_view<T> large, plane_size from,
                    const char* small_name, image_view<U> small, plane_size to) {
  require_valid(large, large_name, function);
  require_valid(small, small_name, function);
  require_plane_size(function, large_name, large, from);
  if (small.images != large.images || small.channels != large.channels || small.pixels != to.height * to.width)
    fail("%s: %s is %jd x %jd x %jd, must be %jd x %jd x %jd (%jd x %jd)", function, small_name,
         std::intmax_t(small.images), std::intmax_t(small.channels), std::intmax_t(small.pixels),
         std::intmax_t(large.images), std::intmax_t(large.channels), std::intmax_t(to.height * to.width),
         std::intmax_t(to.height), std::intmax_t(to.width));
  require_apart(function, small_name, footprint_of(small), large_name, footprint_of(large));
}

}  // namespace detail
}  // namespace hone::inline HONE_ABI

#include <hone/core/macros_pop.hpp>
