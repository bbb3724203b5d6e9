// SPDX-License-Identifier: MIT
/// Defines all macros of hone.
#pragma once

// A missing include ends the compilation; #error alone would be followed by thousands of lines.
#if !(__cplusplus > 201703L || (defined(_MSVC_LANG) && _MSVC_LANG > 201703L))
#error "hone needs C++20: compile with -std=c++20"
#include "hone needs C++20: compile with -std=c++20"
#endif

/// Marks a function that host code and GPU threads may call. Expands to nothing without nvcc.
#if defined(__CUDACC__)
#define HONE_HD __host__ __device__
#else
#define HONE_HD
#endif

/// Put before a HONE_HD template that calls a user-supplied function, host-only or device-only: silences nvcc's check.
#if defined(__CUDACC__)
#define HONE_NO_EXEC_CHECK _Pragma("nv_exec_check_disable")
#else
#define HONE_NO_EXEC_CHECK
#endif

/// Forces inlining of a part of a formula that g++ -O2 would call, with operands in memory and no unused work removed.
#if defined(__GNUC__)
#define HONE_INLINE inline __attribute__((always_inline))
#define HONE_INLINE_LAMBDA __attribute__((always_inline))  // put after the parameters
#else
#define HONE_INLINE inline
#define HONE_INLINE_LAMBDA
#endif

/// Inlines every call in a function, also those of a user's function, which g++ -O2 would call.
#if defined(__GNUC__)
#define HONE_FLATTEN __attribute__((flatten))
#else
#define HONE_FLATTEN
#endif

/// Makes a function a template: put before one that few programs call. Without a call, the compiler then leaves out the
/// function and every template that it uses; it would compile those of any other inline function.
#define HONE_IF_CALLED template <class = void>

/// Put before a loop with independent iterations: no iteration reads what another one writes.
#if defined(__GNUC__) && !defined(__clang__)  // clang would warn of loops that it cannot make vectors of
#define HONE_INDEPENDENT _Pragma("GCC ivdep")
#else
#define HONE_INDEPENDENT
#endif

/// Gives every program and shared object its own copy of a class and its static members: unloading an object removes
/// that object's copy and no other.
#if defined(__ELF__) || defined(__APPLE__)
#define HONE_OWN_TO_OBJECT __attribute__((visibility("hidden")))
#else
#define HONE_OWN_TO_OBJECT
#endif

/// The architecture that a kernel is compiled for, as 900 for sm_90; 0 on the host. Only for the choice of
/// instructions.
#if defined(__CUDA_ARCH__)
#define HONE_DEVICE_ARCHITECTURE __CUDA_ARCH__
#else
#define HONE_DEVICE_ARCHITECTURE 0
#endif

/// Compiles its argument in a HONE_HD function for the host and removes it for the device.
#if defined(__CUDA_ARCH__)
#define HONE_ON_HOST(...)
#else
#define HONE_ON_HOST(...) __VA_ARGS__
#endif

/// The printf rules by which a compiler checks the format of a message against its values. In g++ on Windows, "printf"
/// means an old library without %jd and %zu; detail::fail supports both.
#if defined(__MINGW32__) && !defined(__clang__)
#define HONE_PRINTF gnu_printf
#else
#define HONE_PRINTF printf
#endif

/// 1 if a thread_local object may have a destructor. g++ for Windows frees the memory of such objects before it calls
/// their destructors (GCC PR 80816).
#if defined(__MINGW32__) && !defined(__clang__)
#define HONE_HAS_THREAD_DESTRUCTORS 0
#else
#define HONE_HAS_THREAD_DESTRUCTORS 1
#endif

/// 1 if the compiler throws exceptions; 0 under -fno-exceptions (see core/error.hpp).
#if defined(__cpp_exceptions) || defined(__EXCEPTIONS) || defined(_CPPUNWIND)
#define HONE_HAS_EXCEPTIONS 1
#else
#define HONE_HAS_EXCEPTIONS 0
#endif

/// The inline namespace of all names. It distinguishes versions, and files with exceptions from files without, because
/// one program may contain all of them.
#if HONE_HAS_EXCEPTIONS
#define HONE_ABI v0_2
#else
#define HONE_ABI v0_2_no_exceptions
#endif

/// The asm constraint by which the compiler assumes that a floating-point number changes: the letter of the register
/// class, or memory on processors that this header does not know.
#if defined(__AVX512F__)
#define HONE_REGISTER "+v"
#elif defined(__SSE2__)
#define HONE_REGISTER "+x"
#elif defined(__aarch64__) || defined(__ARM_FP)
#define HONE_REGISTER "+w"
#elif defined(__riscv_flen) || defined(__s390x__)
#define HONE_REGISTER "+f"
#else
#define HONE_REGISTER "+m"
#endif

/// Hides the value in a register from an optimiser that may reassociate: fast-math flags let it move exact steps. It is
/// always on for clang, because clang does not report which of these flags are set.
#if defined(__GNUC__) && (defined(__clang__) || defined(__FAST_MATH__) || defined(__ASSOCIATIVE_MATH__))
#define HONE_HIDE(x) asm("" : HONE_REGISTER(x))
#else
#define HONE_HIDE(x) static_cast<void>(0)
#endif

/// Put first in a function: clang may fuse its products and sums with those of other functions, as g++ does by default.
#if defined(__clang__)
#define HONE_FUSES _Pragma("clang fp contract(fast)")
#else
#define HONE_FUSES
#endif

/// Keeps the product in a register out of a fused multiply-add. Only x86 processors may lack that instruction.
#if defined(__GNUC__) && (defined(__FMA__) || !(defined(__x86_64__) || defined(__i386__)))
#define HONE_ROUND(x) asm("" : HONE_REGISTER(x))
#else
#define HONE_ROUND(x) HONE_HIDE(x)
#endif

/// Put around code that calls AVX-512 instructions: g++ 12 and older warn in the caller that their own header uses an
/// uninitialised register (PR 105593). Including hone as a system header does not suppress that warning under -Wall.
#if defined(__AVX512F__) && defined(__GNUC__) && !defined(__clang__) && __GNUC__ < 13
#define HONE_AVX512_BEGIN                                                              \
  _Pragma("GCC diagnostic push") _Pragma("GCC diagnostic ignored \"-Wuninitialized\"") \
      _Pragma("GCC diagnostic ignored \"-Wmaybe-uninitialized\"")
#define HONE_AVX512_END _Pragma("GCC diagnostic pop")
#else
#define HONE_AVX512_BEGIN
#define HONE_AVX512_END
#endif
