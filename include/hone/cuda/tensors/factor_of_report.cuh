// SPDX-License-Identifier: MIT
/// The product of one gradient and the factor of a report.
#pragma once

#include <hone/core/narrowed.hpp>
#include <hone/gradient/scaling.hpp>

#include <hone/core/macros_push.hpp>

namespace hone::inline HONE_ABI::on_cuda {

/// Rounds the product: it is never fused into a sum of the caller's, so that all kernels have the same bits.
__device__ inline float rounded_product(float a, float b) { return __fmul_rn(a, b); }
__device__ inline double rounded_product(double a, double b) { return __dmul_rn(a, b); }

/// Multiplies gradients by the factor of a report, in double if it is out of the range of A.
template <class A>
struct factor_of_report {
  double factor;
  bool fits;

  __device__ explicit factor_of_report(double factor_)
      : factor(factor_), fits(detail::scaling{factor_, detail::infinity, 1, detail::infinity}.fits<A>(0)) {}
  __device__ A operator()(A gradient) const {
    if (sizeof(A) == 8 || fits) return rounded_product(static_cast<A>(factor), gradient);
    return detail::narrowed<A>(factor * static_cast<double>(gradient));
  }
};

}  // namespace hone::inline HONE_ABI::on_cuda

#include <hone/core/macros_pop.hpp>
