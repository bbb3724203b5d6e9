// SPDX-License-Identifier: MIT
/// How a thread computes with floating-point numbers: rounding, flushing of denormal numbers, traps. Workers take over
/// what the caller's thread has, or the bits of an answer would depend on which thread took which chunk.
#pragma once

#include <hone/core/config.hpp>

#if defined(__SSE2__)
#include <emmintrin.h>
#elif !defined(__aarch64__)
#include <cfenv>
#endif

#include <hone/core/macros_push.hpp>

namespace hone::inline HONE_ABI::on_cpu {

class float_environment {
 public:
  /// The calling thread's.
  static float_environment current() noexcept {
    float_environment now;
#if defined(__SSE2__)
    now.control_ = _mm_getcsr() & ~flags;
#elif defined(__aarch64__)
    asm volatile("mrs %0, fpcr" : "=r"(now.control_));
#else
    now.control_ = static_cast<control>(std::fegetround());
#endif
    return now;
  }

  /// Sets the calling thread's, which is rarely another: a write costs more than a look.
  void apply() const noexcept {
    if (current().control_ == control_) return;
#if defined(__SSE2__)
    _mm_setcsr(control_ | (_mm_getcsr() & flags));
#elif defined(__aarch64__)
    asm volatile("msr fpcr, %0" : : "r"(control_));
#else
    std::fesetround(static_cast<int>(control_));
#endif
  }

 private:
#if defined(__aarch64__)
  using control = unsigned long;
#else
  using control = unsigned;
#endif
  static constexpr unsigned flags = 0x3f;  // of MXCSR: the exceptions that were raised, which stay the thread's own

  control control_ = 0;
};

}  // namespace hone::inline HONE_ABI::on_cpu

#include <hone/core/macros_pop.hpp>
