// SPDX-License-Identifier: MIT
/// log and exp in double with the same bits on every machine, compiler and device, because libm implementations differ
/// in the last bit. Every product that is added to a number uses an explicit fma, so that compilers have no choice.
#pragma once

#include <hone/core/config.hpp>

#include <cmath>
#include <cstdint>

#include <hone/core/macros_push.hpp>

namespace hone::inline HONE_ABI::detail {

inline constexpr double log_2_high = 0x1.62e42fefa38p-1, log_2_low = 0x1.ef35793c7673p-45;  // their sum is log 2

/// Returns log x for positive, normal x, to 2 ulp: with x = m 2^e, m in [√½, √2) and s = (m-1)/(m+1),
///   log x = e log 2 + 2 (s + s³/3 + s⁵/5 + …)
HONE_HD inline double same_log(double x) noexcept {
  auto bits = __builtin_bit_cast(std::uint64_t, x);
  const std::uint64_t above = bits - 0x3fe6a09e667f3bcd;  // the bits of √½
  const auto e = static_cast<double>(static_cast<std::int64_t>(above) >> 52);
  bits = (above & 0x000fffffffffffff) + 0x3fe6a09e667f3bcd;
  const double m = __builtin_bit_cast(double, bits), s = (m - 1) / (m + 1), square = s * s;
  constexpr double c[] = {1.0 / 3,  1.0 / 5,  1.0 / 7,  1.0 / 9,  1.0 / 11, 1.0 / 13,
                          1.0 / 15, 1.0 / 17, 1.0 / 19, 1.0 / 21, 1.0 / 23};
  double sum = c[10];
  for (int k = 9; k >= 0; --k) sum = std::fma(sum, square, c[k]);
  const double tail = sum * square * 2;
  return std::fma(e, log_2_high, std::fma(s, tail, std::fma(e, log_2_low, s * 2)));
}

/// Returns e^x, to 2 ulp; 0 for x <= -700 and for NaN, at most e^700.
HONE_HD inline double same_exp(double x) noexcept {
  if (!(x > -700)) return 0;
  if (x > 700) x = 700;
  const auto k = static_cast<int>(std::fma(x, 0x1.71547652b82fep+0, x < 0 ? -0.5 : 0.5));
  const double minus = -k, r = std::fma(minus, log_2_low, std::fma(minus, log_2_high, x));  // in ±log(2)/2
  constexpr double c[] = {
      1,          1,           1.0 / 2,      1.0 / 6,       1.0 / 24,       1.0 / 120,       1.0 / 720,
      1.0 / 5040, 1.0 / 40320, 1.0 / 362880, 1.0 / 3628800, 1.0 / 39916800, 1.0 / 479001600, 1.0 / 6227020800};
  double sum = c[13];
  for (int n = 12; n >= 0; --n) sum = std::fma(sum, r, c[n]);  // Σ rⁿ/n!
  return sum * __builtin_bit_cast(double, std::uint64_t(k + 1023) << 52);
}

/// Returns the float nearest to x, ties to even, for normal x > 0. Below 2^-126 the result is denormal even if the
/// processor flushes such numbers to 0 in conversions, as after -ffast-math.
HONE_HD inline float same_float(double x) noexcept {
  if (x >= 0x1p-126) return static_cast<float>(x);
  const double units = x * 0x1p149 + 0x1.8p52;  // rounds to an integer, in the last bits
  return __builtin_bit_cast(float, static_cast<std::uint32_t>(__builtin_bit_cast(std::uint64_t, units)));
}

}  // namespace hone::inline HONE_ABI::detail

#include <hone/core/macros_pop.hpp>
