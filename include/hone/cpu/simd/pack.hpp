// SPDX-License-Identifier: MIT
/// The operand of the CPU: as many numbers as a register holds, built on Eigen's packet operations; one number if Eigen
/// has no vectors for the processor. Its functions are in cpu/simd/exp.hpp, cpu/simd/log.hpp and cpu/simd/atan.hpp.
#pragma once

#include <hone/core/number.hpp>
#include <hone/core/operand.hpp>
#include <hone/cpu/simd/mask.hpp>

#include <hone/cpu/simd/packet.hpp>

#if defined(__clang__) && defined(__AVX__)
#include <immintrin.h>
#endif

#include <bit>
#include <cfloat>
#include <cmath>
#include <concepts>

#if defined(__clang__) && defined(__FINITE_MATH_ONLY__) && __FINITE_MATH_ONLY__
#error "hone: clang's -ffinite-math-only (part of -ffast-math) breaks its losses; add -fno-finite-math-only"
#endif

#include <hone/core/macros_push.hpp>

HONE_AVX512_BEGIN
namespace hone::inline HONE_ABI::on_cpu {

/// True on 32-bit NEON, where Eigen divides and takes roots by series that lose digits: hone computes lane by lane.
#if defined(EIGEN_VECTORIZE_NEON) && !defined(__aarch64__)
template <class T>
inline constexpr bool divides_by_series = packets::packet_traits<T>::size > 1;
#else
template <class T>
inline constexpr bool divides_by_series = false;
#endif
template <class Packet, class... More, class Of>
Packet lane_by_lane(Of const& of, Packet a, More... more) noexcept {
  using T = typename packets::unpacket_traits<Packet>::type;
  constexpr int size = packets::unpacket_traits<Packet>::size;
  T x[1 + sizeof...(More)][std::size_t(size)];
  int row = 0;
  packets::pstoreu(x[row], a);
  (packets::pstoreu(x[++row], more), ...);
  for (int i = 0; i < size; ++i) {
    if constexpr (sizeof...(More) == 0)
      x[0][i] = of(x[0][i]);
    else
      x[0][i] = of(x[0][i], x[1][i]);
  }
  return packets::ploadu<Packet>(x[0]);
}

template <std::floating_point T>
struct pack {
  using number = T;
  using packet = typename packets::packet_traits<T>::type;
  static constexpr int size = packets::unpacket_traits<packet>::size;

  /// True if the compiler has operators for registers: it fuses and simplifies those, unlike Eigen's functions.
  static constexpr bool has_operators = requires(packet p) {
    { p* p + p } -> std::convertible_to<packet>;
  };

  using lanes = T[std::size_t(size)];  ///< one number per lane

  packet v;

  pack() noexcept = default;
  explicit pack(arithmetic auto x) noexcept : v(packets::pset1<packet>(static_cast<T>(x))) {}
  explicit pack(real x) noexcept : pack(x.value) {}

  static pack of(packet p) noexcept {
    pack result;
    result.v = p;
    return result;
  }
  static pack load(T const* p) noexcept { return of(packets::ploadu<packet>(p)); }
  void store(T* p) const noexcept { packets::pstoreu(p, v); }

  friend pack operator+(pack a, pack b) noexcept {
    HONE_FUSES
    if constexpr (has_operators)
      return of(a.v + b.v);
    else
      return of(packets::padd(a.v, b.v));
  }
  friend pack operator-(pack a, pack b) noexcept {
    HONE_FUSES
    if constexpr (has_operators)
      return of(a.v - b.v);
    else
      return of(packets::psub(a.v, b.v));
  }
  friend pack operator*(pack a, pack b) noexcept {
    HONE_FUSES
    if constexpr (has_operators)
      return of(a.v * b.v);
    else
      return of(packets::pmul(a.v, b.v));
  }
  friend pack operator/(pack a, pack b) noexcept {
    if constexpr (divides_by_series<T>)
      return of(lane_by_lane([](T x, T y) { return x / y; }, a.v, b.v));
    else
      return of(packets::pdiv(a.v, b.v));
  }
  friend pack operator-(pack a) noexcept {
    HONE_FUSES
    if constexpr (has_operators)
      return of(-a.v);
    else
      return of(packets::pnegate(a.v));
  }
  pack& operator+=(pack b) noexcept { return *this = *this + b; }
  pack& operator-=(pack b) noexcept { return *this = *this - b; }
  pack& operator*=(pack b) noexcept { return *this = *this * b; }
  pack& operator/=(pack b) noexcept { return *this = *this / b; }

  friend mask<T> operator<(pack a, pack b) noexcept { return {masks_of<T>::less(a.v, b.v)}; }
  friend mask<T> operator<=(pack a, pack b) noexcept { return {masks_of<T>::less_equal(a.v, b.v)}; }
  friend mask<T> operator>(pack a, pack b) noexcept { return b < a; }
  friend mask<T> operator>=(pack a, pack b) noexcept { return b <= a; }
  friend mask<T> operator==(pack a, pack b) noexcept { return {masks_of<T>::equal(a.v, b.v)}; }
};

/// Returns 0, 1, 2, … in the lanes.
template <class T>
pack<T> lane_numbers() noexcept {
  return pack<T>::of(packets::plset<typename pack<T>::packet>(T(0)));
}
template <class T>
pack<T> select(mask<T> condition, pack<T> yes, pack<T> no) noexcept {
  return pack<T>::of(masks_of<T>::select(condition.v, yes.v, no.v));
}
/// Returns yes in the lanes of the condition and 0 in the others: one instruction.
template <class T>
pack<T> keep(mask<T> condition, pack<T> yes) noexcept {
  return pack<T>::of(masks_of<T>::keep(condition.v, yes.v));
}
/// Returns 0 in the lanes of the condition and x in the others.
template <class T>
pack<T> zero_where(mask<T> condition, pack<T> x) noexcept {
  return pack<T>::of(masks_of<T>::zero_where(condition.v, x.v));
}
/// Returns NaN in the lanes of the condition and x in the others. Sets all bits, which -ffast-math cannot fold.
template <class T>
pack<T> nan_where(mask<T> condition, pack<T> x) noexcept {
  return pack<T>::of(masks_of<T>::ones_where(condition.v, x.v));
}

template <class T>
pack<T> abs(pack<T> x) noexcept {
  return pack<T>::of(packets::pabs(x.v));
}
template <class T>
pack<T> sqrt(pack<T> x) noexcept {
  if constexpr (divides_by_series<T>)
    return pack<T>::of(lane_by_lane([](T y) { return std::sqrt(y); }, x.v));
  else
    return pack<T>::of(packets::psqrt(x.v));
}
template <class T>
pack<T> floor(pack<T> x) noexcept {
  return pack<T>::of(packets::pfloor(x.v));
}
template <class T>
pack<T> min(pack<T> a, pack<T> b) noexcept {
  return pack<T>::of(packets::pmin(a.v, b.v));
}
template <class T>
pack<T> max(pack<T> a, pack<T> b) noexcept {
  return pack<T>::of(packets::pmax(a.v, b.v));
}
/// Returns a · b + c, fused if the processor supports it.
template <class T>
pack<T> fma(pack<T> a, pack<T> b, pack<T> c) noexcept {
#if defined(__clang__) && defined(__AVX__) && defined(__FMA__)
  // For clang, Eigen has an asm statement here, which takes no constants from memory.
  if constexpr (sizeof(c.v) == 32 && std::same_as<T, float>) return pack<T>::of(_mm256_fmadd_ps(a.v, b.v, c.v));
  if constexpr (sizeof(c.v) == 32 && std::same_as<T, double>) return pack<T>::of(_mm256_fmadd_pd(a.v, b.v, c.v));
#endif
  return pack<T>::of(packets::pmadd(a.v, b.v, c.v));
}

template <class T>
T sum(pack<T> x) noexcept {
  return packets::predux(x.v);
}
template <class T>
T largest(pack<T> x) noexcept {
  return packets::predux_max(x.v);
}
template <class T>
T first_lane(pack<T> x) noexcept {
  return packets::pfirst(x.v);
}
template <class T>
bool all(mask<T> m) noexcept {
  return masks_of<T>::all(m.v);
}
template <class T>
bool any(mask<T> m) noexcept {
  return masks_of<T>::any(m.v);
}

/// Returns x, hidden from an optimiser that under fast-math flags would reassociate an exact step away.
template <class T>
pack<T> exact(pack<T> x) noexcept {
  HONE_HIDE(x.v);
  return x;
}

/// Returns x, a product, and prevents its fusion into a sum.
template <class T>
pack<T> rounded(pack<T> x) noexcept {
  HONE_ROUND(x.v);
  return x;
}

/// Returns true in the lanes that are not NaN.
template <class T>
mask<T> is_number(pack<T> x) noexcept {
  return x == exact(x);
}

/// Returns c[0] + c[1] x + c[2] x² + … by Horner's rule, as a recursion because -O2 would not unroll a loop.
/// It has the fewest operations: for loops with enough packs in flight.
template <std::size_t N, class T>
inline pack<T> polynomial(pack<T> x, T const* c) noexcept {
  if constexpr (N == 1) {
    return pack<T>(c[0]);
  } else {
    return fma(polynomial<N - 1>(x, c + 1), x, pack<T>(c[0]));
  }
}
template <class T, std::size_t N>
inline pack<T> polynomial(pack<T> x, T const (&c)[N]) noexcept {
  return polynomial<N>(x, c + 0);
}

/// The same by Estrin's rule: a few more operations, half the latency. powers: x, x², x⁴, …
template <std::size_t N, class T>
inline pack<T> short_polynomial(pack<T> const* powers, T const* c) noexcept {
  if constexpr (N == 1) {
    return pack<T>(c[0]);
  } else {
    constexpr std::size_t half = std::bit_ceil(N) / 2;
    return fma(short_polynomial<N - half>(powers, c + half), powers[std::countr_zero(half)],
               short_polynomial<half>(powers, c));
  }
}
template <class T, std::size_t N>
inline pack<T> short_polynomial(pack<T> x, T const (&c)[N]) noexcept {
  static_assert(N > 4 && N <= 16);
  const pack<T> square = x * x, fourth = square * square, powers[] = {x, square, fourth, fourth * fourth};
  return short_polynomial<N>(powers, c + 0);
}

}  // namespace hone::inline HONE_ABI::on_cpu
HONE_AVX512_END

namespace hone::inline HONE_ABI {

#if defined(__GNUC__) && !defined(__FAST_MATH__) && !defined(__RECIPROCAL_MATH__)
template <class T>
inline constexpr bool rounds_exactly<on_cpu::pack<T>> = FLT_EVAL_METHOD == 0;
#endif

}  // namespace hone::inline HONE_ABI

#include <hone/core/macros_pop.hpp>
