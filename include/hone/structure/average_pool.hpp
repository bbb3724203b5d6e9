// SPDX-License-Identifier: MIT
/// The average pool in the shortcut of ResNet-D (He et al. 2018, arXiv 1812.01187): windows that hang over the border
/// divide by the pixels that they have.
#pragma once

#include <hone/structure/pool.hpp>

#include <hone/core/macros_push.hpp>

namespace hone::inline HONE_ABI {

/// Windows of size x size, `stride` apart, that begin inside the plane. With ceil, the last ones may hang over the
/// border and divide by the pixels inside; without, they lie inside. The defaults are those of ResNet-D.
struct average_pool_options {
  integer size = 2;
  integer stride = 2;
  bool ceil = true;
};

namespace detail {

inline index pooled_length(const char* function, const char* name, index length, average_pool_options const& o) {
  require_length(function, name, length);
  const index over = length - o.size.value, stride = o.stride.value;
  if (over < 0) {
    if (!o.ceil)
      fail("%s: %s is %jd, must be at least the size of the windows, %jd", function, name, std::intmax_t(length),
           std::intmax_t(o.size.value));
    return 1;
  }
  index count = over / stride + 1;
  if (o.ceil && over % stride != 0 && count * stride < length) ++count;  // windows begin inside
  return count;
}

inline plane_size pooled_size(const char* function, plane_size of, average_pool_options const& o) {
  require(o.size.value >= 1 && o.size.value < index(1) << 31, function, "size", o.size.value, "in [1, 2^31)");
  require(o.stride.value >= 1 && o.stride.value < index(1) << 31, function, "stride", o.stride.value, "in [1, 2^31)");
  return {pooled_length(function, "height", of.height, o), pooled_length(function, "width", of.width, o)};
}

/// The places of x that an output averages along one axis.
struct averaged_pixels {
  pool_windows windows;
  index length;

  HONE_HD constexpr index end(index o) const noexcept {
    const index end = windows.begin(o) + windows.size;
    return end < length ? end : length;
  }
  /// What the sum of an output is divided by.
  HONE_HD constexpr index divisor(index o) const noexcept { return end(o) - windows.begin(o); }
  /// Calls body(place, weight) for the places that output o reads.
  HONE_NO_EXEC_CHECK
  template <class A, class Body>
  HONE_HD void each(index o, Body const& body) const {
    for (index i = windows.begin(o); i < end(o); ++i) body(i, A(1));
  }
};

/// The outputs that a place of x has a share in.
struct averages_of_pixel {
  averaged_pixels pixels;

  HONE_HD static constexpr index divisor(index) noexcept { return 1; }
  HONE_NO_EXEC_CHECK
  template <class A, class Body>
  HONE_HD void each(index i, Body const& body) const {
    const index last = pixels.windows.last(i);
    for (index o = pixels.windows.first(i); o < last; ++o) body(o, A(1) / static_cast<A>(pixels.divisor(o)));
  }
};

inline averaged_pixels average_axis(index length, index count, average_pool_options const& o) noexcept {
  return {{o.size.value, o.stride.value, count}, length};
}

}  // namespace detail

/// Returns the size of the pooled planes. Throws hone::invalid_argument if an option or a length is out of range.
inline plane_size average_pool_size(plane_size of, average_pool_options const& options = {}) {
  return detail::pooled_size("average_pool_size", of, options);
}

}  // namespace hone::inline HONE_ABI

#include <hone/core/macros_pop.hpp>
