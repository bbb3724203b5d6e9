// SPDX-License-Identifier: MIT
/// The macros of hone, all of them.
#pragma once

// An include that cannot be found ends the compilation, where #error alone is followed by thousands of lines.
#if !(__cplusplus > 201703L || (defined(_MSVC_LANG) && _MSVC_LANG > 201703L))
#error "hone needs C++20: compile with -std=c++20"
#include "hone needs C++20: compile with -std=c++20"
#endif

/// Marks a function that a GPU thread may call as well; nothing to a plain compiler.
#if defined(__CUDACC__)
#define HONE_HD __host__ __device__
#else
#define HONE_HD
#endif

/// Before a HONE_HD template that calls what it is given: that may be for one side only, and nvcc need not check.
#if defined(__CUDACC__)
#define HONE_CALLS_GIVEN _Pragma("nv_exec_check_disable")
#else
#define HONE_CALLS_GIVEN
#endif

/// A part of a formula that g++ -O2 would leave as a call, with its operands in memory and nothing left out.
#if defined(__GNUC__)
#define HONE_INLINE inline __attribute__((always_inline))
#else
#define HONE_INLINE inline
#endif

/// Before a loop whose turns do not depend on each other: what one writes no other reads.
#if defined(__clang__)
#define HONE_INDEPENDENT _Pragma("clang loop vectorize(assume_safety)")
#elif defined(__GNUC__)
#define HONE_INDEPENDENT _Pragma("GCC ivdep")
#else
#define HONE_INDEPENDENT
#endif

/// A class of which every program and shared object has its own, with its static members: one that is unloaded takes
/// its own along, and nobody else's.
#if defined(__ELF__) || defined(__APPLE__)
#define HONE_OWN_TO_OBJECT __attribute__((visibility("hidden")))
#else
#define HONE_OWN_TO_OBJECT
#endif

/// What only a host can do, in a HONE_HD function: left out where a compiler is at work for a device.
#if defined(__CUDA_ARCH__)
#define HONE_ON_HOST(...)
#else
#define HONE_ON_HOST(...) __VA_ARGS__
#endif

/// The rules by which a compiler holds the format of a message against its values. For g++ on Windows "printf" are
/// those of an old library, without %jd and %zu; detail::fail knows both.
#if defined(__MINGW32__) && !defined(__clang__)
#define HONE_PRINTF gnu_printf
#else
#define HONE_PRINTF printf
#endif

/// 1 where a thread_local object may have a destructor. g++ for Windows frees what such objects lie in before it calls
/// their destructors (GCC PR 80816).
#if defined(__MINGW32__) && !defined(__clang__)
#define HONE_HAS_THREAD_DESTRUCTORS 0
#else
#define HONE_HAS_THREAD_DESTRUCTORS 1
#endif

/// 1 where the compiler throws exceptions; 0 under -fno-exceptions (see core/error.hpp).
#if defined(__cpp_exceptions) || defined(__EXCEPTIONS) || defined(_CPPUNWIND)
#define HONE_HAS_EXCEPTIONS 1
#else
#define HONE_HAS_EXCEPTIONS 0
#endif

/// The inline namespace of all names. It tells versions apart, and files with exceptions from files without: all of
/// them may be parts of one program.
#if HONE_HAS_EXCEPTIONS
#define HONE_ABI v0_1
#else
#define HONE_ABI v0_1_no_exceptions
#endif

/// Where the compiler believes a register of floating-point numbers to be changed: HONE_REGISTER is the letter for one,
/// memory where this header knows none.
#if defined(__SSE2__)
#define HONE_REGISTER "+x"
#elif defined(__aarch64__) || defined(__ARM_FP)
#define HONE_REGISTER "+w"
#elif defined(__riscv_flen) || defined(__s390x__)
#define HONE_REGISTER "+f"
#else
#define HONE_REGISTER "+m"
#endif

/// Hides what is in a register from an optimiser that may reassociate: fast-math flags let it move exact steps. clang
/// does not tell which of them are on.
#if defined(__GNUC__) && (defined(__clang__) || defined(__FAST_MATH__) || defined(__ASSOCIATIVE_MATH__))
#define HONE_HIDE(x) asm("" : HONE_REGISTER(x))
#else
#define HONE_HIDE(x) static_cast<void>(0)
#endif

/// Keeps the product in a register out of a fused multiply-add, which only x86 processors may be without.
#if defined(__GNUC__) && (defined(__FMA__) || !(defined(__x86_64__) || defined(__i386__)))
#define HONE_ROUND(x) asm("" : HONE_REGISTER(x))
#else
#define HONE_ROUND(x) HONE_HIDE(x)
#endif

/// Around what calls AVX-512 instructions: g++ 12 and older say in the caller that their own header (PR 105593) uses an
/// uninitialised register, and even a system header of ours would not keep that from a user of -Wall.
#if defined(__AVX512F__) && defined(__GNUC__) && !defined(__clang__) && __GNUC__ < 13
#define HONE_AVX512_BEGIN                                                              \
  _Pragma("GCC diagnostic push") _Pragma("GCC diagnostic ignored \"-Wuninitialized\"") \
      _Pragma("GCC diagnostic ignored \"-Wmaybe-uninitialized\"")
#define HONE_AVX512_END _Pragma("GCC diagnostic pop")
#else
#define HONE_AVX512_BEGIN
#define HONE_AVX512_END
#endif
