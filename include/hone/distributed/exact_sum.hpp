// SPDX-License-Identifier: MIT
/// Sums of doubles without rounding: integers, so that the order and the number of ranks change no bit.
#pragma once

#include <hone/core/config.hpp>

#include <cstdint>
#include <span>

#include <hone/core/macros_push.hpp>

namespace hone::inline HONE_ABI {

namespace detail {

/// The words of an exact sum. Word k < digits has the weight 2^(32 k - 1074); the last three count +inf, -inf and NaN.
/// A word takes 2^30 numbers before carries must be propagated, because a number adds less than 2^32 to it.
struct exact_words {
  static constexpr int digits = 68;
  static constexpr int positive_infinity = digits, negative_infinity = digits + 1, nan = digits + 2;
  static constexpr int count = digits + 3;

  /// Calls add(word, amount) for the at most three words to which x contributes.
  HONE_NO_EXEC_CHECK template <class Add>
  HONE_HD static void split(double x, Add const& add) {
    const auto bits = __builtin_bit_cast(std::uint64_t, x);
    const int exponent = static_cast<int>(bits >> 52 & 0x7ff);
    const std::uint64_t fraction = bits & 0xfffffffffffff;
    const bool negative = bits >> 63 != 0;
    if (exponent == 0x7ff) {
      add(fraction != 0 ? nan : negative ? negative_infinity : positive_infinity, std::int64_t(1));
      return;
    }
    const int place = exponent > 0 ? exponent - 1 : 0, shift = place % 32;
    const std::uint64_t digits_of_x = exponent > 0 ? fraction | std::uint64_t(1) << 52 : fraction;
    if (digits_of_x == 0) return;
    const std::uint64_t low = (digits_of_x << shift) & 0xffffffff, rest = (digits_of_x >> (32 - shift));
    const std::uint64_t parts[] = {low, rest & 0xffffffff, rest >> 32};
    for (int k = 0; k < 3; ++k)  // no lambda: nvcc would check who calls whom in it
      if (parts[k] != 0)
        add(place / 32 + k, negative ? -static_cast<std::int64_t>(parts[k]) : static_cast<std::int64_t>(parts[k]));
  }

  /// Propagates carries: all words but the last digit are then in [0, 2^32). The last digit has the sign.
  HONE_HD static void carry(std::int64_t* words) noexcept {
    for (int k = 0; k + 1 < digits; ++k) {
      words[k + 1] += words[k] >> 32;  // rounds down, also if negative
      words[k] &= 0xffffffff;
    }
  }

  /// Returns the sum, rounded once to the nearest double, ties to even. Infinities and NaN as IEEE 754 adds them.
  HONE_HD static double value(std::int64_t const* words) noexcept {
    const double huge = __builtin_huge_val();
    const bool up = words[positive_infinity] != 0, down = words[negative_infinity] != 0;
    if (words[nan] != 0 || (up && down)) return __builtin_nan("");
    if (up || down) return up ? huge : -huge;
    std::int64_t w[digits];
    for (int k = 0; k < digits; ++k) w[k] = words[k];
    carry(w);
    const bool negative = w[digits - 1] < 0;
    if (negative) {
      for (int k = 0; k < digits; ++k) w[k] = -w[k];
      carry(w);
    }
    int top = digits - 1;
    while (top > 0 && w[top] == 0) --top;
    if (w[top] == 0) return 0;
    // The 64 bits from the highest one on, and whether any bit below them is set.
    const auto digit = [&](int k) { return k >= 0 ? static_cast<std::uint64_t>(w[k]) : std::uint64_t(0); };
    int length = 0;
    while (length < 32 && digit(top) >> length != 0) ++length;
    if (digit(top) >> length != 0) return negative ? -huge : huge;  // more than any double
    const int highest = top * 32 + length - 1;                      // the highest bit has the weight 2^(highest - 1074)
    std::uint64_t window = digit(top) << (64 - length) | digit(top - 1) << (32 - length);
    const std::uint64_t third = digit(top - 2);
    window |= third >> length;
    bool below = length > 0 && (third & ((std::uint64_t(1) << length) - 1)) != 0;
    for (int k = top - 3; k >= 0; --k) below = below || w[k] != 0;
    // 53 bits are kept, fewer of a subnormal number.
    const int kept = highest + 1 < 53 ? highest + 1 : 53;
    std::uint64_t mantissa = window >> (64 - kept);
    const std::uint64_t rest = window << kept, half = std::uint64_t(1) << 63;  // kept is at most 53
    if (rest > half || (rest == half && (below || (mantissa & 1) != 0))) ++mantissa;
    int exponent = highest - kept + 2;  // the biased one of a normal number whose last bit has the weight of `mantissa`
    if (mantissa >> 53 != 0) mantissa >>= 1, ++exponent;
    if (exponent >= 0x7ff) return negative ? -huge : huge;
    const bool normal = mantissa >> 52 != 0;
    const std::uint64_t bits =
        normal ? (static_cast<std::uint64_t>(exponent) << 52) + (mantissa - (std::uint64_t(1) << 52)) : mantissa;
    return __builtin_bit_cast(double, bits | static_cast<std::uint64_t>(negative) << 63);
  }
};

}  // namespace detail

/// A sum of doubles that is exact until value() rounds it once. The order in which numbers and other sums are added
/// changes no bit of it. Its words are integers that ranks add up.
///
///     hone::exact_sum loss;
///     for (double x : of_rows) loss.add(x);
///     ranks.sum(loss.words());      // all ranks
///     double total = loss.value();  // the same bits for any number of ranks
class exact_sum {
 public:
  /// Adds a number. Infinities and NaN are counted, and value() returns what IEEE 754 makes of them.
  void add(double x) noexcept {
    detail::exact_words::split(x, [&](int word, std::int64_t amount) { words_[word] += amount; });
    if (++added_ == most) carry();
  }
  void add(exact_sum const& other) noexcept {
    carry();
    exact_sum carried = other;
    carried.carry();
    for (int k = 0; k < detail::exact_words::count; ++k) words_[k] += carried.words_[k];
    carry();
  }
  /// Returns the sum, rounded once to the nearest double.
  double value() const noexcept { return detail::exact_words::value(words_); }

  /// Writes the words, as words() has them, to exact_words::count numbers; and reads a sum of such words.
  void put(std::int64_t* to) noexcept {
    for (const std::int64_t word : words()) *to++ = word;
  }
  void take(std::int64_t const* from) noexcept {
    for (std::int64_t& word : words_) word = *from++;
    carry();
  }

  /// The words, with carries propagated: up to 2^30 such sums may be added word by word.
  std::span<std::int64_t, detail::exact_words::count> words() noexcept {
    carry();
    return words_;
  }

 private:
  static constexpr int most = 1 << 30;

  void carry() noexcept {
    detail::exact_words::carry(words_);
    added_ = 0;
  }

  std::int64_t words_[detail::exact_words::count] = {};
  int added_ = 0;
};

}  // namespace hone::inline HONE_ABI

#include <hone/core/macros_pop.hpp>
