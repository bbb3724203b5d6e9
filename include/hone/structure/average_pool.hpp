// SPDX-License-Identifier: MIT
/// The average pool in the shortcut of ResNet-D (He et al. 2018, arXiv 1812.01187): windows that hang over the border
/// divide by the pixels that they have.
#pragma once

#include <hone/structure/plane_check.hpp>

#include <hone/core/macros_push.hpp>

namespace hone::inline HONE_ABI {

/// Height and width of a plane.
struct plane_size {
  index height = 0, width = 0;

  friend constexpr bool operator==(plane_size const&, plane_size const&) = default;
};

/// Windows of size x size, `stride` apart, that begin inside the plane. With ceil, the last ones may hang over the
/// border and divide by the pixels inside; without, they lie inside. The defaults are those of ResNet-D.
struct average_pool_options {
  integer size = 2;
  integer stride = 2;
  bool ceil = true;
};

namespace detail {

inline index pooled_length(const char* function, const char* name, index length, average_pool_options const& o) {
  require(length >= 1, function, name, length, "at least 1");
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

inline void require_average_pool(const char* function, average_pool_options const& o) {
  require(o.size.value >= 1 && o.size.value < index(1) << 31, function, "size", o.size.value, "in [1, 2^31)");
  require(o.stride.value >= 1 && o.stride.value < index(1) << 31, function, "stride", o.stride.value, "in [1, 2^31)");
}

}  // namespace detail

/// Returns the size of the pooled planes. Throws hone::invalid_argument if an option or a length is out of range.
inline plane_size average_pool_size(plane_size of, average_pool_options const& options = {}) {
  constexpr const char* function = "average_pool_size";
  detail::require_average_pool(function, options);
  return {detail::pooled_length(function, "height", of.height, options),
          detail::pooled_length(function, "width", of.width, options)};
}

namespace detail {

/// The checks of average_pool and its backward pass; `large` and `small` are x and y, or dx and dy.
template <class T, class U>
plane_size require_pooled(const char* function, const char* large_name, image_view<T> large, plane_size size,
                          const char* small_name, image_view<U> small, average_pool_options const& options) {
  require_valid(large, large_name, function);
  require_valid(small, small_name, function);
  require_average_pool(function, options);
  const plane_size to{pooled_length(function, "height", size.height, options),
                      pooled_length(function, "width", size.width, options)};
  if (product_of_sizes(size.height, size.width) != large.pixels)
    fail("%s: %s has %jd pixels, size is %jd x %jd", function, large_name, std::intmax_t(large.pixels),
         std::intmax_t(size.height), std::intmax_t(size.width));
  if (small.images != large.images || small.channels != large.channels || small.pixels != to.height * to.width)
    fail("%s: %s is %jd x %jd x %jd, must be %jd x %jd x %jd (%jd x %jd)", function, small_name,
         std::intmax_t(small.images), std::intmax_t(small.channels), std::intmax_t(small.pixels),
         std::intmax_t(large.images), std::intmax_t(large.channels), std::intmax_t(to.height * to.width),
         std::intmax_t(to.height), std::intmax_t(to.width));
  require_apart(function, small_name, footprint_of(small), large_name, footprint_of(large));
  return to;
}

}  // namespace detail
}  // namespace hone::inline HONE_ABI

#include <hone/core/macros_pop.hpp>
