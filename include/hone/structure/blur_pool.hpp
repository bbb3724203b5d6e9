// SPDX-License-Identifier: MIT
/// Blur pool (Zhang 2019, arXiv 1904.11486): a binomial filter before a stride, so that a shift of the image by a pixel
/// changes little.
#pragma once

#include <hone/structure/pool.hpp>

#include <hone/core/macros_push.hpp>

namespace hone::inline HONE_ABI {

/// The filter is the outer product of (1/2 + 1/2)^(size - 1) with itself: 1 2 1 over 4 for a size of 3. Planes are
/// padded by (stride - 1 + size - 1) / 2 pixels, rounded down, on every side, as timm's BlurPool2d does. The padding
/// reflects the plane without repeating its border, as often as necessary.
struct blur_pool_options {
  integer size = 3;    ///< in [1, 7]; 1 takes every stride-th pixel
  integer stride = 2;  ///< at least 1
};

namespace detail {

inline index blurred_length(const char* function, const char* name, index length, blur_pool_options const& o) {
  require_length(function, name, length, index(1) << 30, "less than 2^30");
  const index padding = (o.stride.value + o.size.value - 2) / 2;
  const index over = length + 2 * padding - o.size.value;
  return over < 0 ? 1 : over / o.stride.value + 1;
}

inline plane_size pooled_size(const char* function, plane_size of, blur_pool_options const& o) {
  require(o.size.value >= 1 && o.size.value <= 7, function, "size", o.size.value, "in [1, 7]");
  require(o.stride.value >= 1 && o.stride.value < index(1) << 30, function, "stride", o.stride.value, "in [1, 2^30)");
  return {blurred_length(function, "height", of.height, o), blurred_length(function, "width", of.width, o)};
}

/// The places of x that an output reads along one axis, with the weights of the filter. Window o begins `padding`
/// places before place o stride.
struct blurred_pixels {
  pool_windows windows;
  index length, padding;
  std::uint64_t coefficients;  // 8 bits each
  float scale;                 // makes the sum of the coefficients 1

  HONE_HD static constexpr index divisor(index) noexcept { return 1; }

  /// Returns weight k of the filter, a binomial coefficient over a power of two: it is exact.
  template <class A>
  HONE_HD constexpr A weight(index k) const noexcept {
    return static_cast<A>(static_cast<int>(coefficients >> (8 * k) & 255)) * static_cast<A>(scale);
  }
  /// Returns the place that place i of the padded line shows; i may be outside.
  HONE_HD constexpr index reflected(index i) const noexcept {
    if (i >= 0 && i < length) return i;
    if (length == 1) return 0;
    const index period = 2 * (length - 1), from_0 = i < 0 ? -i : i;
    const index at = from_0 - quotient(from_0, period) * period;
    return at < length ? at : period - at;
  }

  HONE_NO_EXEC_CHECK
  template <class A, class Body>
  HONE_HD void each(index o, Body const& body) const {
    const index begin = windows.begin(o) - padding;
    for (index k = 0; k < windows.size; ++k) body(reflected(begin + k), weight<A>(k));
  }
};

/// The outputs that a place of x has a share in: those of all places of the padded line that show it.
struct blurs_of_pixel {
  blurred_pixels pixels;

  HONE_HD static constexpr index divisor(index) noexcept { return 1; }

  HONE_NO_EXEC_CHECK
  template <class A, class Body>
  HONE_HD void each(index i, Body const& body) const {
    const index length = pixels.length, period = length == 1 ? 1 : 2 * (length - 1);
    each_shown<A>(i, period, body);
    if (i > 0 && i < length - 1) each_shown<A>(period - i, period, body);
  }

 private:
  /// The outputs that read the places i, i ± period, … of the padded line, for i in [0, period).
  HONE_NO_EXEC_CHECK
  template <class A, class Body>
  HONE_HD void each_shown(index i, index period, Body const& body) const {
    pool_windows const& windows = pixels.windows;
    const index padded = windows.begin(windows.count - 1) + windows.size;
    const index from = i + pixels.padding;
    for (index at = from - quotient(from, period) * period; at < padded; at += period) {
      const index last = windows.last(at);
      for (index o = windows.first(at); o < last; ++o) body(o, pixels.template weight<A>(at - windows.begin(o)));
    }
  }
};

inline blurred_pixels blur_axis(index length, index count, blur_pool_options const& o) noexcept {
  const index last = o.size.value - 1;
  std::uint64_t coefficients = 0;
  for (index k = 0, ways = 1; k <= last; ways = ways * (last - k) / (k + 1), ++k)
    coefficients |= std::uint64_t(ways) << (8 * k);
  return {{o.size.value, o.stride.value, count},
          length,
          (o.stride.value + last - 1) / 2,
          coefficients,
          1 / static_cast<float>(index(1) << last)};
}

}  // namespace detail

/// Returns the size of the pooled planes: (length + 2 padding - size) / stride + 1 for each side, rounded down. Throws
/// hone::invalid_argument if an option or a length is out of range.
inline plane_size blur_pool_size(plane_size of, blur_pool_options const& options = {}) {
  return detail::pooled_size("blur_pool_size", of, options);
}

}  // namespace hone::inline HONE_ABI

#include <hone/core/macros_pop.hpp>
