// SPDX-License-Identifier: MIT
/// Stochastic rounding of one number, and the random bits for it.
#pragma once

#include <hone/core/number.hpp>
#include <hone/sample/philox.hpp>

#include <concepts>
#include <cstdint>
#include <type_traits>

#include <hone/core/macros_push.hpp>

namespace hone::inline HONE_ABI::detail {

/// The formats to which numbers are rounded: the bits of the fraction, the exponent of the smallest normal number, and
/// the bits of the largest finite one.
struct bfloat16_format {
  using bits = std::uint16_t;
  static constexpr int fraction = 7, least = -126;
  static constexpr std::uint32_t largest = 0x7f7f;
};
struct half_format {
  using bits = std::uint16_t;
  static constexpr int fraction = 10, least = -14;
  static constexpr std::uint32_t largest = 0x7bff;
};
struct float_format {
  using bits = std::uint32_t;
  static constexpr int fraction = 23, least = -126;
  static constexpr std::uint32_t largest = 0x7f7fffff;
};

/// Rounds x to one of its two neighbours of the format To: away from 0 with a probability of the distance that is
/// rounded down to a multiple of 2^-32 of the neighbours' distance. `random` is uniform. Returns the bits. A number of
/// To stays as it is, with the sign of a zero; beyond the largest finite number it is that number; an infinity stays;
/// NaN becomes a quiet NaN of its sign. Integer arithmetic alone, so that no flag of a compiler or processor changes a
/// bit, and denormal numbers count.
template <class To, std::floating_point A>
HONE_HD constexpr typename To::bits rounded_stochastically(A x, std::uint32_t random) noexcept {
  using word = std::conditional_t<sizeof(A) == 8, std::uint64_t, std::uint32_t>;
  using bits = typename To::bits;
  constexpr int fraction = sizeof(A) == 8 ? 52 : 23, bias = sizeof(A) == 8 ? 1023 : 127;
  constexpr word sign_bit = word(1) << (8 * sizeof(A) - 1), infinite_size = word(2 * bias + 1) << fraction;
  constexpr std::uint32_t to_infinity = To::largest + 1;
  const auto of_x = __builtin_bit_cast(word, x);
  const word size = of_x & ~sign_bit;
  const auto sign = bits(of_x >> (8 * sizeof(A) - 1) << (8 * sizeof(bits) - 1));
  std::uint64_t rounded = 0;
  if constexpr (fraction == 23 && To::least == 1 - bias) {  // the same exponents: the same as below
    constexpr int dropped = fraction - To::fraction;
    rounded = (size + (random >> (32 - dropped))) >> dropped;
  } else {
    const auto field = static_cast<int>(size >> fraction);
    const std::uint64_t digits = (size & ((word(1) << fraction) - 1)) | std::uint64_t(field > 0) << fraction;
    const int above = (field > 0 ? field : 1) - bias - To::least;  // exponent of x above the smallest one
    const int below = above < 0 ? (above > -63 ? -above : 63) : 0;
    // In units of 2^-32 of the distance between neighbours.
    constexpr int dropped = fraction - To::fraction;
    std::uint64_t units = 0;
    if constexpr (dropped <= 32)
      units = digits << (32 - dropped) >> below;
    else
      units = digits >> (dropped - 32) >> below;
    rounded = ((units + random) >> 32) + (std::uint64_t(above > 0 ? above : 0) << To::fraction);
  }
  if (rounded > To::largest) rounded = To::largest;
  if (size >= infinite_size)
    rounded = size == infinite_size ? to_infinity : to_infinity | std::uint32_t(1) << (To::fraction - 1);
  return static_cast<bits>(rounded | sign);
}

/// The random bits by which the numbers of a tensor are rounded in one step: 32 for each number of the whole tensor,
/// words of Philox whose counter and key belong to that seed, step, tensor and number alone.
class rounding_bits {
 public:
  rounding_bits() = default;
  HONE_HD constexpr rounding_bits(integer seed, integer step, std::uint64_t tensor) noexcept
      : of_tensor_(random_bits(seed, step)(purpose::rounding, tensor, static_cast<std::uint32_t>(tensor >> 32))) {}

  /// Returns the bits of the numbers 4k to 4k + 3.
  HONE_HD constexpr philox_block operator()(std::uint64_t k) const noexcept {
    return philox({{std::uint32_t(k), std::uint32_t(k >> 32), of_tensor_.at[2], of_tensor_.at[3]}}, of_tensor_.at[0],
                  of_tensor_.at[1]);
  }
  /// The key and half of the counter, for a backend that computes many at once.
  HONE_HD constexpr philox_block const& of_tensor() const noexcept { return of_tensor_; }

 private:
  philox_block of_tensor_{};
};

static_assert(rounded_stochastically<bfloat16_format>(1.00390625f, 0x7fffffff) == 0x3f80);  // halfway: down
static_assert(rounded_stochastically<bfloat16_format>(1.00390625f, 0x80000000) == 0x3f81);

}  // namespace hone::inline HONE_ABI::detail

#include <hone/core/macros_pop.hpp>
