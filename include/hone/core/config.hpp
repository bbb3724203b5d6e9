// SPDX-License-Identifier: MIT
/// The macros of hone, all of them.
#pragma once

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

/// What only a host can do, in a HONE_HD function: left out where a compiler is at work for a device.
#if defined(__CUDA_ARCH__)
#define HONE_ON_HOST(...)
#else
#define HONE_ON_HOST(...) __VA_ARGS__
#endif

/// 1 where the compiler throws exceptions; 0 under -fno-exceptions (see core/error.hpp).
#if defined(__cpp_exceptions) || defined(__EXCEPTIONS) || defined(_CPPUNWIND)
#define HONE_HAS_EXCEPTIONS 1
#else
#define HONE_HAS_EXCEPTIONS 0
#endif
