// SPDX-License-Identifier: MIT
/// log and log1p of packs. x = 2^k (1 + f) with 1 + f in [sqrt(1/2), sqrt(2)). float takes log(1 + f) from a polynomial
/// in f, double from one in (f / (2 + f))². Coefficients fitted for hone; ULP budgets in tests/cpu/simd/math_test.cpp.
#pragma once

#include <hone/core/log1p_of_unit.hpp>
#include <hone/cpu/simd/bits.hpp>
#include <hone/cpu/simd/pack.hpp>

#include <limits>

#include <hone/core/macros_push.hpp>

HONE_AVX512_BEGIN
namespace hone::inline HONE_ABI::on_cpu {

template <class V>
struct decomposed {
  V k, f;
};

/// Returns k and 1 + f of positive normal numbers, computed from their bits.
inline decomposed<pack<float>> decompose_normal(pack<float> x) noexcept {
  const bits<float> root_half(0x3f3504f3), shifted = bits<float>::of(x) - root_half;
  return {shifted.right<23>().to_number(), ((shifted & bits<float>(0x007fffff)) + root_half).as_number()};
}
/// The same for positive finite numbers, also denormal ones.
inline decomposed<pack<float>> decompose(pack<float> x) noexcept {
  using V = pack<float>;
  // A denormal number is its bits, read as an integer, times 2^-149; the conversion normalises it.
  const mask<float> denormal = x < V(std::numeric_limits<float>::min());
  const auto [k, m] = decompose_normal(select(denormal, bits<float>::of(x).to_number(), x));
  return {k - keep(denormal, V(149)), m};
}
inline decomposed<pack<double>> decompose(pack<double> x) noexcept {
  using V = pack<double>;
  V k;
  const V half = V::of(packets::pfrexp(x.v, k.v));  // in [1/2, 1)
  const mask<double> small = half < V(0.70710678118654752);
  return {k - keep(small, V(1)), select(small, half + half, half)};
}

/// Returns k ln 2 + log(1 + f).
inline pack<float> log_of(pack<float> k, pack<float> f) noexcept {
  using V = pack<float>;
  constexpr float c[] = {0.33333331178f,  -0.24999996955f, 0.20000716247f,  -0.16667803063f, 0.14249039611f,
                         -0.12425654633f, 0.11685580287f,  -0.11480068373f, 0.069715848122f};
  const V square = f * f;
  const V tail = fma(k, V(-2.12194440e-4f), fma(square * f, short_polynomial(f, c), square * V(-0.5f)));
  return fma(k, V(0.693359375f), exact(f + tail));
}
inline pack<double> log_of(pack<double> k, pack<double> f) noexcept {
  using V = pack<double>;
  constexpr double c[] = {0.6666666666666666646, 0.4000000000000088324, 0.2857142857079978503, 0.222222223925810451,
                          0.1818179554752113623, 0.1538624473762166661, 0.1326863836926682388, 0.1308803485092755383};
  const V s = f / (V(2) + f), z = s * s, half_square = V(0.5) * f * f;
  const V r = s * (half_square + z * short_polynomial(z, c));
  const V low = k * V(1.42860682030941723212e-6);
  return fma(k, V(0.693145751953125), exact(f - exact(half_square - (r + low))));
}

/// Sets the results that the formula does not give: log(0), log(inf), and NaN for negative numbers and NaN.
template <class T>
pack<T> log_edges(pack<T> u, pack<T> result) noexcept {
  using V = pack<T>;
  const V infinity(std::numeric_limits<T>::infinity());
  result = select(u >= infinity, infinity, result);
  result = select(u == V(0), -infinity, result);
  result = nan_where(u < V(0), result);
  return select(is_number(u), result, u);
}

/// Returns the natural logarithm; log(0) = -inf, NaN for negative numbers.
template <class T>
pack<T> log(pack<T> x) noexcept {
  const auto [k, m] = decompose(x);
  return log_edges(x, log_of(k, exact(m - pack<T>(1))));
}

/// Returns the natural logarithm of a positive normal number, NaN for NaN; other arguments are not allowed.
inline pack<float> log_of_normal(pack<float> x) noexcept {
  const auto [k, m] = decompose_normal(x);
  return select(is_number(x), log_of(k, exact(m - pack<float>(1))), x);
}
inline pack<double> log_of_normal(pack<double> x) noexcept { return log(x); }

/// Returns log(1 + x) with full relative accuracy near 0.
template <class T>
pack<T> log1p(pack<T> x) noexcept {
  using V = pack<T>;
  const V u = exact(V(1) + x);
  const V lost = x - exact(u - V(1));  // the exact rounding error of 1 + x
  const auto [k, m] = decompose(u);
  const V f = exact(m - V(1)) + keep(V(1e20) > u, lost * (m / max(u, V(std::numeric_limits<T>::min()))));
  return log_edges(u, log_of(k, f));
}

/// Returns log(1 + x) for x in [0, 1], as softplus needs it; in float as x - x² r(x), without case distinctions.
inline pack<float> log1p_of_unit(pack<float> x) noexcept {
  using s = detail::log1p_of_unit_series;
  constexpr float c[] = {s::c0, s::c1, s::c2, s::c3, s::c4, s::c5, s::c6, s::c7};
  return fma(x * x, short_polynomial(x, c), x);
}
inline pack<double> log1p_of_unit(pack<double> x) noexcept {
  using V = pack<double>;
  const mask<double> upper = x > V(0.41421356);
  const V f = select(upper, (x - V(1)) * V(0.5), x);  // exact: (1 + x) / 2 = 1 + (x - 1) / 2
  return log_of(keep(upper, V(1)), f);
}

}  // namespace hone::inline HONE_ABI::on_cpu
HONE_AVX512_END

#include <hone/core/macros_pop.hpp>
