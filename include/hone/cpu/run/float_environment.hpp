// SPDX-License-Identifier: MIT
/// The floating-point settings of a thread: rounding, flushing of denormal numbers, traps. Workers use the settings of
/// the caller's thread; otherwise the bits of a result would depend on which thread computes which chunk.
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
  /// Returns the settings of the calling thread.
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

  /// Applies these settings to the calling thread. Reads first, because they rarely differ and a write costs more.
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
  static constexpr unsigned flags = 0x3f;  // in MXCSR: the exceptions raised so far, which remain the thread's own

  control control_ = 0;
};

}  // namespace hone::inline HONE_ABI::on_cpu

#include <hone/core/macros_pop.hpp>
