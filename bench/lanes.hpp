// SPDX-License-Identifier: MIT
/// Registers of numbers for the twins and the limits, by the compiler's vector types. They share nothing with hone's
/// packs, so that a fault of these cannot hide in a comparison.
#pragma once

#include <bit>
#include <cmath>
#include <cstdint>
#include <cstring>
#include <limits>
#include <type_traits>

#if defined(__x86_64__)
#include <immintrin.h>
#endif

#define BENCH_INLINE [[gnu::always_inline]] inline

namespace bench {

using index = std::int64_t;

#if defined(__AVX512F__)
inline constexpr int lanes = 16;
#elif defined(__AVX__)
inline constexpr int lanes = 8;
#else
inline constexpr int lanes = 4;
#endif

typedef float vec __attribute__((vector_size(4 * lanes)));
typedef std::int32_t ivec __attribute__((vector_size(4 * lanes)));
typedef std::uint32_t uvec __attribute__((vector_size(4 * lanes)));
typedef std::uint16_t half_vec __attribute__((vector_size(2 * lanes)));

/// The bits of a bfloat16.
enum class bf16 : std::uint16_t {};

/// What a twin reads where hone reads T, which is float or Eigen::bfloat16.
template <class T>
using twin_number = std::conditional_t<std::is_same_v<T, float>, float, bf16>;

inline constexpr float lowest = std::numeric_limits<float>::lowest(), log2e = 1.44269504088896341f;

BENCH_INLINE vec splat(float x) { return vec{} + x; }

// ---- memory ----------------------------------------------------------------------------------------------------

template <class To, class From>
BENCH_INLINE To bits_as(From x) {
  static_assert(sizeof(To) == sizeof(From));
  To y;
  std::memcpy(&y, &x, sizeof y);
  return y;
}

BENCH_INLINE vec widened(half_vec x) { return bits_as<vec>(__builtin_convertvector(x, uvec) << 16); }
BENCH_INLINE half_vec narrowed(vec x) {  // to the nearest, ties to even
  const uvec u = bits_as<uvec>(x);
  return __builtin_convertvector((u + 0x7fffu + ((u >> 16) & 1u)) >> 16, half_vec);
}

BENCH_INLINE vec load(float const* p) {
  vec x;
  std::memcpy(&x, p, sizeof x);
  return x;
}
BENCH_INLINE vec load(bf16 const* p) {
  half_vec x;
  std::memcpy(&x, p, sizeof x);
  return widened(x);
}
BENCH_INLINE void store(float* p, vec x) { std::memcpy(p, &x, sizeof x); }
BENCH_INLINE void store(bf16* p, vec x) {
  const half_vec y = narrowed(x);
  std::memcpy(p, &y, sizeof y);
}

/// Past the caches; p is aligned to the register.
BENCH_INLINE void stream(float* p, vec x) {
#if defined(__AVX512F__)
  _mm512_stream_ps(p, (__m512)x);
#elif defined(__AVX__)
  _mm256_stream_ps(p, (__m256)x);
#else
  store(p, x);
#endif
}
BENCH_INLINE void stream(bf16* p, vec x) {
#if defined(__AVX512F__)
  _mm256_stream_si256(reinterpret_cast<__m256i*>(p), (__m256i)narrowed(x));
#elif defined(__AVX__)
  _mm_stream_si128(reinterpret_cast<__m128i*>(p), (__m128i)narrowed(x));
#else
  store(p, x);
#endif
}
BENCH_INLINE void stream_fence() {
#if defined(__x86_64__)
  _mm_sfence();
#endif
}
template <class T>
BENCH_INLINE void prefetch(T const* p) {
  __builtin_prefetch(p);
}

/// How many numbers from p on lie before the next address that stream takes, at most n.
template <class T>
BENCH_INLINE index until_aligned(T const* p, index n) {
  constexpr std::uintptr_t line = sizeof(T) * lanes;
  const auto head = static_cast<index>((line - reinterpret_cast<std::uintptr_t>(p) % line) % line / sizeof(T));
  return head < n ? head : n;
}

/// Lanes in use: all of a register, or the first n.
struct whole {
  template <class T>
  BENCH_INLINE vec load(T const* p) const {
    return bench::load(p);
  }
  template <class T>
  BENCH_INLINE void store(T* p, vec x) const {
    bench::store(p, x);
  }
  BENCH_INLINE vec only(vec x, float = 0) const { return x; }  // and the number in the other lanes
};

struct first_lanes {
  int n;

#if defined(__AVX512F__)
  BENCH_INLINE __mmask16 mask() const { return static_cast<__mmask16>((1u << n) - 1); }
  BENCH_INLINE vec load(float const* p) const { return (vec)_mm512_maskz_loadu_ps(mask(), p); }
  BENCH_INLINE void store(float* p, vec x) const { _mm512_mask_storeu_ps(p, mask(), (__m512)x); }
  BENCH_INLINE vec only(vec x, float other = 0) const {
    return (vec)_mm512_mask_mov_ps((__m512)splat(other), mask(), (__m512)x);
  }
#else
  BENCH_INLINE vec load(float const* p) const {
    vec x{};
    std::memcpy(&x, p, sizeof(float) * static_cast<unsigned>(n));
    return x;
  }
  BENCH_INLINE void store(float* p, vec x) const { std::memcpy(p, &x, sizeof(float) * static_cast<unsigned>(n)); }
  BENCH_INLINE vec only(vec x, float other = 0) const {
    for (int k = n; k < lanes; ++k) x[k] = other;
    return x;
  }
#endif
  BENCH_INLINE vec load(bf16 const* p) const {
    half_vec x{};
    std::memcpy(&x, p, sizeof(bf16) * static_cast<unsigned>(n));
    return widened(x);
  }
  BENCH_INLINE void store(bf16* p, vec x) const {
    const half_vec y = narrowed(x);
    std::memcpy(p, &y, sizeof(bf16) * static_cast<unsigned>(n));
  }
};

// ---- arithmetic ------------------------------------------------------------------------------------------------

BENCH_INLINE vec max(vec a, vec b) {
#if defined(__AVX512F__)
  return (vec)_mm512_max_ps((__m512)a, (__m512)b);
#elif defined(__AVX__)
  return (vec)_mm256_max_ps((__m256)a, (__m256)b);
#else
  return a > b ? a : b;
#endif
}
BENCH_INLINE vec min(vec a, vec b) {
#if defined(__AVX512F__)
  return (vec)_mm512_min_ps((__m512)a, (__m512)b);
#elif defined(__AVX__)
  return (vec)_mm256_min_ps((__m256)a, (__m256)b);
#else
  return a < b ? a : b;
#endif
}
BENCH_INLINE vec abs(vec x) { return bits_as<vec>(bits_as<uvec>(x) & 0x7fffffffu); }

BENCH_INLINE float sum(vec x) {
  float total = 0;
  for (int k = 0; k < lanes; ++k) total += x[k];
  return total;
}
BENCH_INLINE float max(vec x) {
  float most = x[0];
  for (int k = 1; k < lanes; ++k) most = most > x[k] ? most : x[k];
  return most;
}

/// 1 / x to about 1e-7.
BENCH_INLINE vec reciprocal(vec x) {
#if defined(__AVX512F__)
  const vec r = (vec)_mm512_rcp14_ps((__m512)x);
  return r * (2.f - x * r);
#else
  return 1.f / x;
#endif
}

/// Horner's rule, the highest coefficient first.
template <class... C>
BENCH_INLINE vec polynomial(vec x, float first, C... others) {
  vec p = splat(first);
  ((p = p * x + others), ...);
  return p;
}

/// 2^z for z <= 0, with an absolute error of about 4e-8; 0 below -126.
BENCH_INLINE vec exp2_below_1(vec z) {
#if defined(__AVX512F__)
  const vec r = (vec)_mm512_reduce_ps((__m512)z, 8), n = z - r;
#else
  const vec magic = splat(12582912.f), n = (z + magic) - magic, r = z - n;
#endif
  const vec p =
      polynomial(r, 1.32764719e-3f, 9.67554133e-3f, 5.55071327e-2f, 2.40221197e-1f, 6.93146967e-1f, 1.00000007f);
#if defined(__AVX512F__)
  return (vec)_mm512_scalef_ps((__m512)p, (__m512)n);
#else
  const vec y = bits_as<vec>(bits_as<ivec>(p) + (__builtin_convertvector(max(n, splat(-126)), ivec) << 23));
  return z < -125.5f ? vec{} : y;
#endif
}

/// log x for normal x > 0 (Cephes).
BENCH_INLINE vec log(vec x) {
  const ivec shifted = bits_as<ivec>(x) - 0x3f3504f3;
  const vec e = __builtin_convertvector(shifted >> 23, vec), f = bits_as<vec>((shifted & 0x7fffff) + 0x3f3504f3) - 1.f,
            z = f * f;
  const vec p = polynomial(f, 7.0376836292e-2f, -1.1514610310e-1f, 1.1676998740e-1f, -1.2420140846e-1f,
                           1.4249322787e-1f, -1.6668057665e-1f, 2.0000714765e-1f, -2.4999993993e-1f, 3.3333331174e-1f) *
                f * z;
  return e * 0.693359375f + (f + (p - 0.5f * z - e * 2.12194440e-4f));
}

/// log(1 + e) for e in [0, 1].
BENCH_INLINE vec log1p_to_1(vec e) {
  return e * polynomial(e, 0.00523269266f, -0.0295052323f, 0.0782259414f, -0.136632449f, 0.191060063f, -0.248429821f,
                        0.333190968f, -0.499994931f, 0.99999997f);
}

}  // namespace bench
