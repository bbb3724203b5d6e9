// SPDX-License-Identifier: MIT
/// The weights exp(x - max) of softmax<> on the device, from logits x. A class of weights has
///   exponent(x), of(exponent)          the weight of x is of(exponent(x))
///   logs(total, max)                   log Σ exp(x - max), from the sum of the weights
///   coordinates(sum, n, max)           Σ (x - max), from the sum of n exponents
///   factor_to(next), moved(sum, n, next)  what a sum of weights is to be multiplied by, and what a sum of n exponents
///                                      becomes, where the maximum has risen to that of `next`
#pragma once

#include <hone/cuda/simd/device_float.cuh>

#include <type_traits>

#include <hone/core/macros_push.hpp>

namespace hone::inline HONE_ABI::on_cuda {

/// The weights as they are defined.
template <class A>
class plain_weights {
 public:
  plain_weights() = default;
  __device__ explicit plain_weights(A max) : max_(max) {}

  __device__ A exponent(A x) const { return x - max_; }
  __device__ A of(A exponent) const { return exp_of_nonpositive(exponent); }
  __device__ A logs(A total, A) const { return log(total); }
  __device__ A coordinates(A sum, A, A) const { return sum; }
  __device__ A factor_to(plain_weights next) const { return exp_of_nonpositive(max_ - next.max_); }
  __device__ A moved(A sum, A n, plain_weights next) const { return sum - n * (next.max_ - max_); }

 private:
  A max_{};
};

/// 2^(rate x + offset): a fused multiplication and addition, and a power. rate is log2(e); offset is -rate max,
/// rounded, which makes all weights 2^error times as large, where error = rate max + offset is at most half an ulp of
/// offset. Quotients of weights do not have the error; logs() and coordinates() subtract it. From |max| = 2^30 on,
/// where 2^error might overflow, the rate is 1: other logits are then at least 64 less, and their weights vanish by
/// either rate.
class scaled_weights {
  using A = device_float;
  static constexpr float log2_of_e = 1.44269504f, log_of_2 = 0.69314718f;

 public:
  scaled_weights() = default;
  __device__ explicit scaled_weights(A max)
      : rate_(::fabsf(max.x) < 0x1p30f ? log2_of_e : 1.0f), offset_(-rate_ * max.x) {}

  __device__ A exponent(A x) const { return ::fmaf(x.x, rate_, offset_); }
  __device__ A of(A exponent) const { return power_of_two(exponent.x); }
  /// The weight of max, in place of 2^error, makes the loss of a row with one class that counts exactly 0.
  __device__ A logs(A total, A max) const { return (log2_of_sum(total) - log2_of_sum(of(exponent(max)))) * log_of_2; }
  __device__ A coordinates(A sum, A n, A max) const {
    return ::fmaf(-exponent(max).x, n.x, sum.x) * (rate_ == 1.0f ? 1.0f : log_of_2);
  }
  __device__ A factor_to(scaled_weights next) const {
    return rate_ == next.rate_ ? power_of_two(next.offset_ - offset_) : 0.0f;
  }
  __device__ A moved(A sum, A n, scaled_weights next) const {
    const float by = rate_ == next.rate_ ? 1.0f : rate_ == 1.0f ? log2_of_e : log_of_2;
    return ::fmaf(n.x, ::fmaf(-by, offset_, next.offset_), by * sum.x);
  }

 private:
  /// Within 2^-22 for x in (0.5, 2), and 2 ulp otherwise: near 1, a sum of floats is not more exact.
  __device__ static float log2_of_sum(A x) {
    float log;
    asm("lg2.approx.ftz.f32 %0, %1;" : "=f"(log) : "f"(x.x));
    return log;
  }
  float rate_{}, offset_{};
};

/// Scaled where the arithmetic is in float, if Scaled.
template <class A, bool Scaled>
using base_weights = std::conditional_t<Scaled && std::is_same_v<A, device_float>, scaled_weights, plain_weights<A>>;

}  // namespace hone::inline HONE_ABI::on_cuda

#include <hone/core/macros_pop.hpp>
