// SPDX-License-Identifier: MIT
/// exp and expm1 of packs. x = n ln 2 + r with |r| <= ln 2 / 2 and exp(x) = 2^n (1 + r + r² q(r)); q is a Chebyshev
/// fit computed for hone. tests/cpu/simd/math_test.cpp has the ULP budgets and prints the measured errors.
#pragma once

#include <hone/cpu/simd/bits.hpp>
#include <hone/cpu/simd/pack.hpp>

#include <limits>

#include <hone/core/macros_push.hpp>

HONE_AVX512_BEGIN
namespace hone::inline HONE_ABI::on_cpu {

template <class T>
struct exp_constants;

template <>
struct exp_constants<float> {
  static constexpr float ln2_high = 0.693359375f, ln2_low = -2.12194440e-4f;  // 9 bits, so that n · high is exact
  static constexpr float overflow = 88.7228394f;                              // for x above, the result is infinite
  static constexpr float normal = -87.3365402f, vanish = -103.972084f;        // for x below: denormal, and 0
  static constexpr float q[] = {0.5f, 0.16666573382f, 0.041666550110f, 0.0083637738744f, 0.0013926926614f};
};
template <>
struct exp_constants<double> {
  static constexpr double ln2_high = 0.693145751953125, ln2_low = 1.42860682030941723212e-6;
  static constexpr double overflow = 709.782712893383973096;
  static constexpr double normal = -708.396418532264078749, vanish = -745.133219101941108420;
  static constexpr double q[] = {0.5,
                                 0.1666666666666666667,
                                 0.04166666666666667782,
                                 0.008333333333333334077,
                                 0.001388888888887826895,
                                 0.0001984126984126276255,
                                 0.00002480158733856534555,
                                 2.755731924863382554e-6,
                                 2.755726102934376868e-7,
                                 2.505206959479568481e-8,
                                 2.091896183779577806e-9,
                                 1.608717723438078228e-10};
};

/// An integer exponent n, stored as a number, and the power 2^n, for normal numbers only.
template <class T>
struct rounded_exponent;

/// Rounds by conversion, because the usual addition of a magic number fails under -ffast-math.
template <>
struct rounded_exponent<float> {
  bits<float> i;
  pack<float> n;

  explicit rounded_exponent(bits<float> i_) noexcept : i(i_), n(i_.to_number()) {}
  static rounded_exponent nearest(pack<float> x) noexcept {
    const pack<float> half = select(x < pack<float>(0), pack<float>(-0.5f), pack<float>(0.5f));
    return rounded_exponent(bits<float>::truncated(x + half));
  }
  pack<float> power_of_two() const noexcept { return (i + bits<float>(127)).left<23>().as_number(); }
  rounded_exponent half() const noexcept { return rounded_exponent(i.right<1>()); }
  friend rounded_exponent operator-(rounded_exponent a, rounded_exponent b) noexcept {
    return rounded_exponent(a.i - b.i);
  }
};

template <>
struct rounded_exponent<double> {
  pack<double> n;

  static rounded_exponent nearest(pack<double> x) noexcept { return {floor(x + pack<double>(0.5))}; }
  pack<double> power_of_two() const noexcept { return pack<double>::of(packets::pldexp(pack<double>(1).v, n.v)); }
  rounded_exponent half() const noexcept { return {floor(n * pack<double>(0.5))}; }
  friend rounded_exponent operator-(rounded_exponent a, rounded_exponent b) noexcept { return {a.n - b.n}; }
};

/// Returns x - n ln 2.
template <class T>
pack<T> remainder_of(pack<T> x, pack<T> n) noexcept {
  using c = exp_constants<T>;
  return fma(n, pack<T>(-c::ln2_low), exact(fma(n, pack<T>(-c::ln2_high), x)));
}

constexpr double log2_e = 1.4426950408889634;

/// Returns exp(x) for every x: exact for ±inf, denormal for small results, 0 below those, NaN for NaN.
template <class T>
pack<T> exp(pack<T> x) noexcept {
  using c = exp_constants<T>;
  using V = pack<T>;
  const V inside = min(max(x, V(c::vanish)), V(c::overflow));
  const auto n = rounded_exponent<T>::nearest(inside * V(log2_e));
  const V r = remainder_of(inside, n.n);
  const V y = exact(fma(r * r, polynomial(r, c::q), r) + V(1));
  const auto half = n.half();  // two factors, because 2^n alone may not be a normal number
  V result = exact(y * half.power_of_two()) * (n - half).power_of_two();
  result = select(x > V(c::overflow), V(std::numeric_limits<T>::infinity()), result);
  result = zero_where(x < V(c::vanish), result);
  return select(is_number(x), result, x);
}

/// Returns the integer nearest to x, for x in [-2^22, 0] and in every rounding mode.
inline pack<float> nearest_of_nonpositive(pack<float> x) noexcept {
  using V = pack<float>;
#if defined(EIGEN_VECTORIZE_AVX) && !defined(EIGEN_VECTORIZE_AVX512)
  return V::of(_mm256_round_ps(x.v, _MM_FROUND_TO_NEAREST_INT | _MM_FROUND_NO_EXC));
#else
  return bits<float>::truncated(x - V(0.5)).to_number();
#endif
}

/// Returns exp(x) for x <= 0. Results below the smallest normal number may be 0, as softmax allows. NaN for NaN.
inline pack<double> exp_of_nonpositive(pack<double> x) noexcept {
  using c = exp_constants<double>;
  using V = pack<double>;
  const auto n = rounded_exponent<double>::nearest(max(x, V(c::normal)) * V(log2_e));  // the n of -inf would make r NaN
  const V r = remainder_of(x, n.n);
  const V y = exact(fma(r * r, polynomial(r, c::q), r) + V(1));
  return zero_where(x < V(c::normal), y * n.power_of_two());
}
inline pack<double> exp_of_nonpositive(pack<double> x, pack<double> rate) noexcept {
  return exp_of_nonpositive(x * rate);
}
/// The same for exp(x rate) in float, with what a softmax needs: an absolute error of 2.5 units in the last place of 1.
/// The relative error grows with abs(x), because x log2 e is rounded once.
inline pack<float> exp_of_nonpositive(pack<float> x, pack<float> rate = pack<float>(1)) noexcept {
  using V = pack<float>;
  constexpr float c[] = {1, 0.6931469776f, 0.2402224209f, 0.05550733745f, 0.009671512814f, 0.001326472721f};
  const V z = x * (rate * V(log2_e));  // exp(x rate) = 2^z = 2^r 2^(z - r)
#if defined(EIGEN_VECTORIZE_AVX512DQ)
  if constexpr (V::size == 16) {  // in two instructions, also if z is infinite
    const V r = V::of(_mm512_reduce_ps(z.v, _MM_FROUND_TO_NEAREST_INT | _MM_FROUND_NO_EXC));
    return V::of(_mm512_scalef_ps(polynomial(r, c).v, (z - r).v));
  }
#endif
  const V inside = max(z, V(-127)), n = nearest_of_nonpositive(inside);
  const bits<float> power = bits<float>::of(polynomial(inside - n, c));  // an addition of integers multiplies by 2^n
  return zero_where(z < V(-126), (power + bits<float>::truncated(n).left<23>()).as_number());
}

/// Returns exp(x) - 1 without cancellation near 0.
template <class T>
pack<T> expm1(pack<T> x) noexcept {
  using c = exp_constants<T>;
  using V = pack<T>;
  const V inside = min(max(x, V(-45)), V(c::overflow));
  const auto n = rounded_exponent<T>::nearest(inside * V(log2_e));
  const V r = remainder_of(inside, n.n);
  const V y = fma(r * r, polynomial(r, c::q), r);
  const V half = V(0.5) * rounded_exponent<T>(n).power_of_two();
  const V scaled = fma(half, y, exact(half - V(0.5)));
  V result = select(n.n == V(0), y, scaled + scaled);
  result = select(x > V(c::overflow), V(std::numeric_limits<T>::infinity()), result);
  return select(is_number(x), result, x);
}

}  // namespace hone::inline HONE_ABI::on_cpu
HONE_AVX512_END

#include <hone/core/macros_pop.hpp>
