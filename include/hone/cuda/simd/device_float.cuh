// SPDX-License-Identifier: MIT
/// The operands of formulas in a kernel: double, or a float with the fast arithmetic of the device.
#pragma once

#include <hone/core/angle_series.hpp>
#include <hone/core/log1p_of_unit.hpp>
#include <hone/core/number.hpp>
#include <hone/core/operand.hpp>

#include <hone/core/macros_push.hpp>

namespace hone::inline HONE_ABI::on_cuda {

/// 2^x within 2 ulp; 0 below the smallest normal number.
__device__ inline float power_of_two(float x) {
  float power;
  asm("ex2.approx.ftz.f32 %0, %1;" : "=f"(power) : "f"(x));
  return power;
}

/// A float whose division and exp take a few instructions, without the calls that an exact division needs for rare
/// operands. All other functions are those of float.
///   a / b                  2 ulp, for all b
///   reciprocal(x)          1 ulp, for x in [2^-126, 2^126]
///   quotient(a, x)         2 ulp, for the same x
///   angle_of(y, x)         4 ulp, for the same x
///   log1p_of_unit(x)       1.72 ulp, of all x in [0, 1]
///   share_of(a, b)         exact, unless 0 < |a - b| < 2^-127
///   exp_of_nonpositive(x)  2 ulp, plus the effect of one ulp of x; 0 below the smallest normal number
struct device_float {
  using number = float;

  float x;

  device_float() = default;
  __device__ constexpr device_float(float value) : x(value) {}
  __device__ explicit constexpr device_float(arithmetic auto value) : x(static_cast<float>(value)) {}
  __device__ explicit constexpr operator float() const { return x; }
  __device__ explicit constexpr operator double() const { return x; }

  __device__ friend device_float operator+(device_float a, device_float b) { return a.x + b.x; }
  __device__ friend device_float operator-(device_float a, device_float b) { return a.x - b.x; }
  __device__ friend device_float operator*(device_float a, device_float b) { return a.x * b.x; }
  __device__ friend device_float operator/(device_float a, device_float b) {
    float q;
    asm("div.full.f32 %0, %1, %2;" : "=f"(q) : "f"(a.x), "f"(b.x));
    return q;
  }
  __device__ friend device_float reciprocal(device_float a) {
    float q;
    asm("rcp.approx.ftz.f32 %0, %1;" : "=f"(q) : "f"(a.x));
    return q;
  }
  __device__ friend device_float quotient(device_float a, device_float x) { return a * reciprocal(x); }
  __device__ friend device_float operator-(device_float a) { return -a.x; }
  __device__ friend bool operator<(device_float a, device_float b) { return a.x < b.x; }
  __device__ friend bool operator>(device_float a, device_float b) { return a.x > b.x; }
  __device__ friend bool operator<=(device_float a, device_float b) { return a.x <= b.x; }
  __device__ friend bool operator==(device_float a, device_float b) { return a.x == b.x; }
  __device__ device_float& operator+=(device_float b) { return *this = *this + b; }
  __device__ device_float& operator-=(device_float b) { return *this = *this - b; }
  __device__ device_float& operator*=(device_float b) { return *this = *this * b; }
  __device__ device_float& operator/=(device_float b) { return *this = *this / b; }

  __device__ friend device_float exp(device_float a) { return exp(a.x); }
  __device__ friend device_float expm1(device_float a) { return expm1(a.x); }
  __device__ friend device_float log(device_float a) { return log(a.x); }
  __device__ friend device_float log1p(device_float a) { return log1p(a.x); }
  __device__ friend device_float log1p_of_unit(device_float a) {
    return detail::log1p_of_unit_series::at(a.x, [](float x, float y, float z) { return ::fmaf(x, y, z); });
  }
  __device__ friend device_float sqrt(device_float a) { return sqrt(a.x); }
  __device__ friend device_float atan(device_float a) { return atan(a.x); }
  __device__ friend device_float angle_of(device_float y, device_float x) {
    const float size = ::fabsf(y.x);
    const bool steep = size > x.x;  // NaN is not, and goes through the quotient
    const device_float tangent = quotient(steep ? x : device_float(size), steep ? device_float(size) : x);
    const float angle = detail::angle_series::at(tangent.x, [](float a, float b, float c) { return ::fmaf(a, b, c); });
    return ::copysignf(steep ? 1.57079633f - angle : angle, y.x);
  }
  __device__ friend device_float abs(device_float a) { return abs(a.x); }
  __device__ friend device_float min(device_float a, device_float b) { return b < a ? b : a; }
  __device__ friend device_float max(device_float a, device_float b) { return a < b ? b : a; }
  __device__ friend device_float lesser_number(device_float a, device_float b) { return ::fminf(a.x, b.x); }
  __device__ friend device_float larger_number(device_float a, device_float b) { return ::fmaxf(a.x, b.x); }
  __device__ friend device_float select(bool condition, device_float yes, device_float no) {
    return condition ? yes : no;
  }
  __device__ friend device_float share_of(device_float a, device_float b) {
    return ::__saturatef(::fmaf(b.x - a.x, 0x1p127f, 0.5f));
  }
  __device__ friend device_float fmax(device_float a, device_float b) { return ::fmaxf(a.x, b.x); }
  __device__ friend device_float __shfl_sync(unsigned lanes, device_float a, int from) {
    return ::__shfl_sync(lanes, a.x, from);
  }
  __device__ friend device_float __shfl_xor_sync(unsigned lanes, device_float a, int step) {
    return ::__shfl_xor_sync(lanes, a.x, step);
  }

  __device__ friend device_float exp_of_nonpositive(device_float a) { return power_of_two(a.x * 1.44269504f); }
};

static_assert(operand<device_float>);

/// The operand of formulas whose numbers are A.
template <class A>
using operand_of = std::conditional_t<std::is_same_v<A, float>, device_float, A>;

}  // namespace hone::inline HONE_ABI::on_cuda

#include <hone/core/macros_pop.hpp>
