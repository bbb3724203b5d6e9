// SPDX-License-Identifier: MIT
/// Declares the functions of Windows that hone calls, because <windows.h> would define thousands of macros in
/// user code. They match <windows.h>, so it may be included before or after hone, with or without UNICODE.
#pragma once

#include <hone/core/config.hpp>

#if defined(_WIN32)
#include <cstdarg>
#include <cstdint>

struct _OVERLAPPED;
struct _SECURITY_ATTRIBUTES;
#if !defined(NO_STRICT)
struct HINSTANCE__;
#endif
#endif

#include <hone/core/macros_push.hpp>

#if defined(_WIN32)
namespace hone::inline HONE_ABI::detail::windows {

using handle = void*;
using boolean = int;
using dword = unsigned long;  // 32 bits on Windows
#if defined(NO_STRICT)
using module = void*;
#else
using module = ::HINSTANCE__*;
#endif
#if defined(_WIN64)
using dword_ptr = unsigned long long;
#else
using dword_ptr = unsigned long;
#endif

extern "C" {
__declspec(dllimport) dword __stdcall GetLastError();
__declspec(dllimport) void __stdcall SetLastError(dword error);
__declspec(dllimport) dword __stdcall FormatMessageW(dword flags, void const* source, dword message, dword language,
                                                     wchar_t* text, dword size, std::va_list* arguments);
__declspec(dllimport) int __stdcall MultiByteToWideChar(unsigned page, dword flags, char const* text, int size,
                                                        wchar_t* wide, int wide_size);
__declspec(dllimport) int __stdcall WideCharToMultiByte(unsigned page, dword flags, wchar_t const* wide, int wide_size,
                                                        char* text, int size, char const* unknown, boolean* used);
__declspec(dllimport) handle __stdcall CreateFileW(wchar_t const* path, dword access, dword share,
                                                   ::_SECURITY_ATTRIBUTES* security, dword disposition, dword flags,
                                                   handle like);
__declspec(dllimport) boolean __stdcall CloseHandle(handle file);
__declspec(dllimport) boolean __stdcall ReadFile(handle file, void* data, dword size, dword* done,
                                                 ::_OVERLAPPED* place);
__declspec(dllimport) boolean __stdcall WriteFile(handle file, void const* data, dword size, dword* done,
                                                  ::_OVERLAPPED* place);
__declspec(dllimport) dword __stdcall SetFilePointer(handle file, long low, long* high, dword from);
__declspec(dllimport) boolean __stdcall SetEndOfFile(handle file);
__declspec(dllimport) dword __stdcall GetFileSize(handle file, dword* high);
__declspec(dllimport) dword __stdcall GetFileType(handle file);
__declspec(dllimport) dword __stdcall GetFileAttributesW(wchar_t const* path);
__declspec(dllimport) dword __stdcall GetFinalPathNameByHandleW(handle file, wchar_t* path, dword size, dword flags);
__declspec(dllimport) boolean __stdcall FlushFileBuffers(handle file);
__declspec(dllimport) boolean __stdcall DeleteFileW(wchar_t const* path);
__declspec(dllimport) boolean __stdcall MoveFileExW(wchar_t const* from, wchar_t const* to, dword flags);
__declspec(dllimport) void __stdcall Sleep(dword milliseconds);
__declspec(dllimport) boolean __stdcall GetModuleHandleExW(dword flags, wchar_t const* name, module* found);
__declspec(dllimport) dword __stdcall GetCurrentProcessId();
__declspec(dllimport) handle __stdcall GetCurrentProcess();
__declspec(dllimport) boolean __stdcall GetProcessAffinityMask(handle process, dword_ptr* own, dword_ptr* all);
}

inline constexpr unsigned utf8 = 65001;

inline constexpr dword file_not_found = 2, access_denied = 5, sharing_violation = 32, handle_eof = 38, file_exists = 80,
                       directory_not_supported = 336;  // results of GetLastError

}  // namespace hone::inline HONE_ABI::detail::windows
#endif

#include <hone/core/macros_pop.hpp>
