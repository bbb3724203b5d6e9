// SPDX-License-Identifier: MIT
/// Numbers in device memory: factors, such as a loss scale or a weight that is scheduled on the device, and counts to
/// divide by. Kernels read them when they run; the host never does.
#pragma once

#include <hone/core/objective.hpp>
#include <hone/core/reduction.hpp>

#include <concepts>

#include <hone/core/macros_push.hpp>

namespace hone::inline HONE_ABI {

/// A view of a float or double in device memory.
struct device_number {
  numbers value;
};
template <std::floating_point T>
device_number device_scalar(T const* pointer) {
  if (!pointer) detail::fail("device_scalar: pointer is null, must be device memory");
  return {numbers::repeated(pointer)};
}

template <objective O>
scaled_later<O> operator*(device_number factor, O const& o) {
  return {o, factor.value};
}
template <objective O>
scaled_later<O> operator*(O const& o, device_number factor) {
  return {o, factor.value};
}

/// A reduction whose count may be in device memory.
struct device_reduction : reduction {
  numbers device_count;

  device_reduction(reduction r) noexcept : reduction(r) {}
  explicit device_reduction(device_number count_) noexcept
      : reduction{reduction::kind::mean_over, 1}, device_count(count_.value) {}
};

/// The sum divided by a count in device memory, such as positives that a kernel has counted; 0 unless the count is > 0.
inline device_reduction mean_over(device_number count) noexcept { return device_reduction(count); }

}  // namespace hone::inline HONE_ABI

#include <hone/core/macros_pop.hpp>
