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

/// 1 where the compiler throws exceptions; 0 under -fno-exceptions (see core/error.hpp).
#if defined(__cpp_exceptions) || defined(__EXCEPTIONS) || defined(_CPPUNWIND)
#define HONE_HAS_EXCEPTIONS 1
#else
#define HONE_HAS_EXCEPTIONS 0
#endif
