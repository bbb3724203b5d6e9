// SPDX-License-Identifier: MIT
/// atan of packs. |x| > 1 is reduced to t = 1/|x|, and t > tan(π/8) to (t - 1)/(t + 1); then an odd polynomial
/// is evaluated, with coefficients fitted for hone. angle_of needs no such division. ULP budget in
/// tests/cpu/simd/math_test.cpp.
#pragma once

#include <hone/core/angle_series.hpp>
#include <hone/cpu/simd/pack.hpp>

#include <hone/core/macros_push.hpp>

HONE_AVX512_BEGIN
namespace hone::inline HONE_ABI::on_cpu {

template <class T>
struct atan_constants;
template <>
struct atan_constants<float> {
  static constexpr float c[] = {-0.33333331752f, 0.19999538795f, -0.14263897113f, 0.10743099668f, -0.064498352246f};
};
template <>
struct atan_constants<double> {
  static constexpr double c[] = {-0.3333333333333333322,  0.1999999999999980253,   -0.142857142856593273,
                                 0.1111111110510670514,   -0.09090908751076635877, 0.07692296304974470057,
                                 -0.06666423628069257579, 0.05878914544400621696,  -0.05230347873016074183,
                                 0.04551108126325171883,  -0.03455809255141379611, 0.01627194475162406036};
};

/// Returns the angle in (-π/2, π/2) whose tangent is x; ±π/2 for ±inf, NaN for NaN.
template <class T>
pack<T> atan(pack<T> x) noexcept {
  using V = pack<T>;
  const V size = abs(x);
  const mask<T> large = size > V(1);
  const V t = select(large, V(1) / min(max(size, V(1)), V(1e30)), size);  // 1 / inf is NaN under -ffast-math
  const mask<T> upper = t > V(0.41421356237309505);
  const V u = select(upper, (t - V(1)) / (t + V(1)), t), z = u * u;
  V y = fma(u * z, polynomial(z, atan_constants<T>::c), u) + keep(upper, V(0.78539816339744831));
  y = select(large, V(1.5707963267948966) - y, y);
  return select(is_number(x), V::of(packets::por(y.v, packets::pandnot(x.v, size.v))), x);
}

/// Returns the angle in [0, π/2] whose tangent is low / high, for 0 <= low <= high and high > 0.
HONE_INLINE pack<float> angle_of_ordered(pack<float> low, pack<float> high) noexcept {
  using s = detail::angle_series;
  constexpr float c[] = {s::c0, s::c1, s::c2, s::c3, s::c4, s::c5, s::c6, s::c7};
  const pack<float> t = low / high, z = t * t;
  return fma(t * z, short_polynomial(z, c), t);
}
HONE_INLINE pack<double> angle_of_ordered(pack<double> low, pack<double> high) noexcept {
  using V = pack<double>;
  const mask<double> upper = low > V(0.41421356237309505) * high;  // tan(π/8)
  const V u = select(upper, low - high, low) / select(upper, low + high, high), z = u * u;
  return fma(u * z, polynomial(z, atan_constants<double>::c), u) + keep(upper, V(0.78539816339744831));
}

/// Returns the angle whose tangent is y / x, for finite numbers with x > 0; NaN if y is NaN.
template <class T>
HONE_INLINE pack<T> angle_of(pack<T> y, pack<T> x) noexcept {
  using V = pack<T>;
  const V size = abs(y), angle = angle_of_ordered(min(size, x), max(size, x));
  const V turned = select(size > x, V(1.5707963267948966) - angle, angle);
  return V::of(packets::por(turned.v, packets::pandnot(y.v, size.v)));  // with the sign of y
}

}  // namespace hone::inline HONE_ABI::on_cpu
HONE_AVX512_END

#include <hone/core/macros_pop.hpp>
