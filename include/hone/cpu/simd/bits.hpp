// SPDX-License-Identifier: MIT
/// The integers that belong to a pack of float: conversions, and the bits of the numbers.
#pragma once

#include <hone/cpu/simd/pack.hpp>

#include <bit>
#include <concepts>
#include <cstdint>

#include <hone/core/macros_push.hpp>

HONE_AVX512_BEGIN
namespace hone::inline HONE_ABI::on_cpu {

#if defined(__GNUC__) && !defined(__clang__)
#pragma GCC diagnostic push
#pragma GCC diagnostic ignored "-Wignored-attributes"  // a register type as a template argument
#endif
/// Operations on integers as wide as T, in a register that matches one of Lanes numbers.
template <class T, int Lanes>
struct register_integers {
  using packet = typename packets::packet_traits<T>::type;
  using type = typename packets::unpacket_traits<packet>::integer_packet;

  static type all(std::int32_t i) noexcept { return packets::pset1<type>(i); }
  static type bits_of(packet x) noexcept { return packets::preinterpret<type, packet>(x); }
  static packet number_of_bits(type i) noexcept { return packets::preinterpret<packet, type>(i); }
  static type truncated(packet x) noexcept { return packets::pcast<packet, type>(x); }
  static packet to_number(type i) noexcept { return packets::pcast<type, packet>(i); }
  static type sum(type a, type b) noexcept { return packets::padd(a, b); }
  static type difference(type a, type b) noexcept { return packets::psub(a, b); }
  static type both(type a, type b) noexcept { return packets::pand(a, b); }
  template <int N>
  static type left(type i) noexcept {
    return packets::plogical_shift_left<N>(i);
  }
  template <int N>
  static type right(type i) noexcept {
    return packets::parithmetic_shift_right<N>(i);
  }
};
#if defined(__GNUC__) && !defined(__clang__)
#pragma GCC diagnostic pop
#endif

/// The same for one integer, which wraps like those of a register.
template <>
struct register_integers<float, 1> {
  using type = std::int32_t;
  using natural = std::uint32_t;

  static type all(std::int32_t i) noexcept { return i; }
  static type bits_of(float x) noexcept { return std::bit_cast<type>(x); }
  static float number_of_bits(type i) noexcept { return std::bit_cast<float>(i); }
  static type truncated(float x) noexcept { return static_cast<type>(x); }
  static float to_number(type i) noexcept { return static_cast<float>(i); }
  static type sum(type a, type b) noexcept { return static_cast<type>(natural(a) + natural(b)); }
  static type difference(type a, type b) noexcept { return static_cast<type>(natural(a) - natural(b)); }
  static type both(type a, type b) noexcept { return a & b; }
  template <int N>
  static type left(type i) noexcept {
    return static_cast<type>(natural(i) << N);
  }
  template <int N>
  static type right(type i) noexcept {
    return i >> N;
  }
};

template <std::same_as<float> T>
struct bits {
  using registers = register_integers<T, pack<T>::size>;
  using integers = typename registers::type;

  integers v;

  static bits of_register(integers i) noexcept {
    bits result(0);
    result.v = i;
    return result;
  }
  explicit bits(std::int32_t i) noexcept : v(registers::all(i)) {}

  static bits of(pack<T> x) noexcept { return of_register(registers::bits_of(x.v)); }
  /// Truncates numbers to integers; the result is unspecified for numbers out of the range of integers.
  static bits truncated(pack<T> x) noexcept { return of_register(registers::truncated(x.v)); }

  /// as_number: the numbers with these bits. to_number: the numbers with these integer values.
  pack<T> as_number() const noexcept { return pack<T>::of(registers::number_of_bits(v)); }
  pack<T> to_number() const noexcept { return pack<T>::of(registers::to_number(v)); }

  friend bits operator+(bits a, bits b) noexcept { return of_register(registers::sum(a.v, b.v)); }
  friend bits operator-(bits a, bits b) noexcept { return of_register(registers::difference(a.v, b.v)); }
  friend bits operator&(bits a, bits b) noexcept { return of_register(registers::both(a.v, b.v)); }

  template <int N>
  bits left() const noexcept {
    return of_register(registers::template left<N>(v));
  }
  /// Arithmetic shift: keeps the sign.
  template <int N>
  bits right() const noexcept {
    return of_register(registers::template right<N>(v));
  }
};

}  // namespace hone::inline HONE_ABI::on_cpu
HONE_AVX512_END

#include <hone/core/macros_pop.hpp>
