// SPDX-License-Identifier: MIT
/// Stochastic rounding of stretches of numbers, on the CPU.
#pragma once

#include <hone/core/tensor_part.hpp>
#include <hone/cpu/memory/convert.hpp>
#include <hone/gradient/scaling.hpp>
#include <hone/precision/stochastic_rounding.hpp>

#include <algorithm>
#include <cstring>
#include <type_traits>

#include <hone/core/macros_push.hpp>

namespace hone::inline HONE_ABI::on_cpu {

/// The blocks of Philox that are computed together: enough that compilers make vectors of them, and do not unroll.
inline constexpr index rounding_blocks = 32;
inline constexpr index rounding_words = 4 * rounding_blocks;

/// Computes the random words of rounding_words numbers, of which the first is 4 · first.
inline void fill_rounding_words(detail::rounding_bits const& bits, std::uint64_t first, std::uint32_t* to) noexcept {
  using word = std::uint32_t;
  const detail::philox_block of = bits.of_tensor();
  constexpr auto count = static_cast<std::size_t>(rounding_blocks);
  word a[count], b[count], c[count], d[count];
  HONE_INDEPENDENT
  for (index l = 0; l < rounding_blocks; ++l) {
    const std::uint64_t k = first + static_cast<std::uint64_t>(l);
    a[l] = static_cast<word>(k), b[l] = static_cast<word>(k >> 32), c[l] = of.at[2], d[l] = of.at[3];
  }
  word key0 = of.at[0], key1 = of.at[1];
  for (int round = 0; round < 10; ++round) {
    HONE_INDEPENDENT
    for (index l = 0; l < rounding_blocks; ++l) {  // detail::philox
      const std::uint64_t x = std::uint64_t(0xD2511F53) * a[l], y = std::uint64_t(0xCD9E8D57) * c[l];
      a[l] = static_cast<word>(y >> 32) ^ b[l] ^ key0, b[l] = static_cast<word>(y);
      c[l] = static_cast<word>(x >> 32) ^ d[l] ^ key1, d[l] = static_cast<word>(x);
    }
    key0 += 0x9E3779B9;
    key1 += 0xBB67AE85;
  }
  HONE_INDEPENDENT
  for (index l = 0; l < rounding_blocks; ++l)
    to[4 * l] = a[l], to[4 * l + 1] = b[l], to[4 * l + 2] = c[l], to[4 * l + 3] = d[l];
}

template <class Format, class A>
HONE_INLINE void round_all(A const* from, std::uint32_t const* random, typename Format::bits* to, index n) noexcept {
  HONE_INDEPENDENT
  for (index j = 0; j < n; ++j) to[j] = detail::rounded_stochastically<Format>(from[j], random[j]);
}

/// Rounds n numbers of the whole tensor, of which the first is `number`.
template <class Format, class A, class T>
void round_line(detail::rounding_bits const& bits, index number, A const* from, T* to, index n) noexcept {
  std::uint32_t random[std::size_t(rounding_words)];
  typename Format::bits rounded[std::size_t(rounding_words)];
  while (n > 0) {
    const index past = number % rounding_words, count = std::min(rounding_words - past, n), first = (number - past) / 4;
    if (count == rounding_words) {
      fill_rounding_words(bits, static_cast<std::uint64_t>(first), random);
      round_all<Format>(from, random, rounded, rounding_words);  // a constant, so that the compiler makes vectors
    } else {
      for (index k = past / 4; k <= (past + count - 1) / 4; ++k) {
        const detail::philox_block block = bits(static_cast<std::uint64_t>(first + k));
        std::memcpy(random + 4 * k, block.at, sizeof block.at);
      }
      round_all<Format>(from, random + past, rounded, count);
    }
    std::memcpy(static_cast<void*>(to), rounded, static_cast<std::size_t>(count) * sizeof(T));
    number += count, from += count, to += count, n -= count;
  }
}

/// Rounds the numbers [begin, begin + n) of a part of a tensor, from[0] to to[0] and so on.
template <class A, class T>
void round_numbers(detail::rounding_bits const& bits, detail::tensor_part const& part, index begin, A const* from,
                   T* to, index n) noexcept {
  part.visit(begin, begin + n, [&](index k, index number, index count) {
    if constexpr (std::is_same_v<T, float>)
      round_line<detail::float_format>(bits, number, from + (k - begin), to + (k - begin), count);
    else if (detail::largest_number<T>() == 65504)
      round_line<detail::half_format>(bits, number, from + (k - begin), to + (k - begin), count);
    else
      round_line<detail::bfloat16_format>(bits, number, from + (k - begin), to + (k - begin), count);
  });
}

/// The parts of a model that the tensors of a list are: all are whole.
struct whole_tensors {
  void require(const char*) const {}
  constexpr detail::tensor_part operator()(std::size_t) const noexcept { return {}; }
};

/// How a step stores parameters: store(tensor, at, n, p, update) calls update(q), where q is what the update reads and
/// writes for the n numbers p, of which the first is number `at` of the tensor. Here each is rounded to the nearest.
struct nearest_store {
  static constexpr bool computes_in_place = true;

  template <class P>
  void require(const char*, tensor_list<P> const&) const {}
  static constexpr std::uint64_t checksum() noexcept { return 0; }
  template <class P, class Update>
  void operator()(std::size_t, index, index, P* p, Update const& update) const {
    update(p);
  }
};
/// The same with stochastic rounding. part_of(i) says which part of the whole one tensor i is.
template <class PartOf>
struct stochastic_store {
  static constexpr bool computes_in_place = false;
  static constexpr index most = 1024;

  stochastic_rounding rounding;
  PartOf part_of;

  template <class P>
  void require(const char* function, tensor_list<P> const&) const {
    detail::require_rounded_parameters<P>();
    detail::require_rounding(function, rounding);
    part_of.require(function);
  }
  /// Of what must be the same on all ranks.
  std::uint64_t checksum() const noexcept {
    const detail::philox_block bits = detail::bits_of({rounding.seed, rounding.step, 0}, 0).of_tensor();
    return std::uint64_t(bits.at[0]) << 32 | bits.at[1];
  }
  /// n is at most `most`.
  template <class P, class Update>
  void operator()(std::size_t tensor, index at, index n, P* p, Update const& update) const {
    accumulator_t<P> computed[std::size_t(most)];
    convert(static_cast<P const*>(p), computed, n);
    update(static_cast<accumulator_t<P>*>(computed));
    round_numbers(detail::bits_of(rounding, tensor), part_of(tensor), at,
                  static_cast<accumulator_t<P> const*>(computed), p, n);
  }
};
template <class PartOf>
stochastic_store(stochastic_rounding, PartOf) -> stochastic_store<PartOf>;

}  // namespace hone::inline HONE_ABI::on_cpu

#include <hone/core/macros_pop.hpp>
