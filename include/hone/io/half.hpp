// SPDX-License-Identifier: MIT
/// IEEE half as bits, for files; independent of the backends' 16-bit types.
#pragma once

#include <hone/core/config.hpp>

#include <bit>
#include <cstdint>

#include <hone/core/macros_push.hpp>

namespace hone::inline HONE_ABI {

/// Returns the bits of the half nearest to x, ties to even; infinity from 65520 on. NaN stays NaN.
constexpr std::uint16_t to_half(float x) noexcept {
  const auto bits = std::bit_cast<std::uint32_t>(x), size = bits & 0x7fffffff;
  const auto sign = static_cast<std::uint16_t>(bits >> 16 & 0x8000);
  if (size > 0x7f800000) return sign | 0x7e00;
  if (size >= 0x477ff000) return sign | 0x7c00;
  const std::uint32_t exponent = size >> 23;
  if (exponent >= 113) {  // normal: the exponent's bias falls from 127 to 15, and 13 bits of the fraction are dropped
    const std::uint32_t rebiased = size - (112u << 23), odd = rebiased >> 13 & 1;
    return static_cast<std::uint16_t>(sign | (rebiased + 0xfff + odd) >> 13);
  }
  if (exponent < 102) return sign;  // below half of the smallest number
  const std::uint32_t fraction = (size & 0x7fffff) | 0x800000, gone = 126 - exponent;  // in units of 2^-24
  const std::uint32_t shifted = fraction >> gone, left = fraction & ((1u << gone) - 1), tie = 1u << (gone - 1);
  return static_cast<std::uint16_t>(sign | (shifted + (left > tie || (left == tie && (shifted & 1)))));
}

/// Returns the number that a half's bits stand for, exactly.
constexpr float from_half(std::uint16_t half) noexcept {
  const std::uint32_t sign = std::uint32_t(half & 0x8000) << 16, size = half & 0x7fff;
  if (size >= 0x7c00) return std::bit_cast<float>(sign | 0x7f800000 | (size & 0x3ff) << 13);
  if (size >= 0x400) return std::bit_cast<float>(sign | ((size << 13) + (112u << 23)));
  const float tiny = static_cast<float>(size) * 0x1p-24f;
  return sign ? -tiny : tiny;
}

static_assert(to_half(1) == 0x3c00 && from_half(0x3c00) == 1 && to_half(-65504) == 0xfbff);

}  // namespace hone::inline HONE_ABI

#include <hone/core/macros_pop.hpp>
