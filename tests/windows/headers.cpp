// SPDX-License-Identifier: MIT
// hone with <windows.h>, before it where HONE_TEST_BEFORE is defined, behind it otherwise: what hone declares by itself
// agrees with it, and none of its macros reaches hone. Nothing is printed under -Wall -Wextra.
#if defined(HONE_TEST_BEFORE)
#include <hone/hone.hpp>

#include <windows.h>
#else
#include <windows.h>

#include <hone/hone.hpp>
#endif

#undef min  // as with NOMINMAX
#undef max

#include <process/work.hpp>

#if !defined(OPTIONAL) || !defined(near) || !defined(far)
#error "the macros of <windows.h> are gone"
#endif

template <class... Functions>
constexpr bool same(Functions*...) {
  return false;
}
template <class Function>
constexpr bool same(Function*, Function*) {
  return true;
}
namespace windows = hone::detail::windows;
static_assert(same(&windows::GetLastError, &::GetLastError));
static_assert(same(&windows::SetLastError, &::SetLastError));
static_assert(same(&windows::FormatMessageW, &::FormatMessageW));
static_assert(same(&windows::MultiByteToWideChar, &::MultiByteToWideChar));
static_assert(same(&windows::WideCharToMultiByte, &::WideCharToMultiByte));
static_assert(same(&windows::CreateFileW, &::CreateFileW));
static_assert(same(&windows::CloseHandle, &::CloseHandle));
static_assert(same(&windows::ReadFile, &::ReadFile));
static_assert(same(&windows::WriteFile, &::WriteFile));
static_assert(same(&windows::SetFilePointer, &::SetFilePointer));
static_assert(same(&windows::SetEndOfFile, &::SetEndOfFile));
static_assert(same(&windows::GetFileSize, &::GetFileSize));
static_assert(same(&windows::GetFileType, &::GetFileType));
static_assert(same(&windows::GetFileAttributesW, &::GetFileAttributesW));
static_assert(same(&windows::GetFinalPathNameByHandleW, &::GetFinalPathNameByHandleW));
static_assert(same(&windows::FlushFileBuffers, &::FlushFileBuffers));
static_assert(same(&windows::DeleteFileW, &::DeleteFileW));
static_assert(same(&windows::MoveFileExW, &::MoveFileExW));
static_assert(same(&windows::Sleep, &::Sleep));
static_assert(same(&windows::GetModuleHandleExW, &::GetModuleHandleExW));
static_assert(same(&windows::GetCurrentProcessId, &::GetCurrentProcessId));
static_assert(same(&windows::GetCurrentProcess, &::GetCurrentProcess));
static_assert(same(&windows::GetProcessAffinityMask, &::GetProcessAffinityMask));

double work_of_all_verbs() { return process::work().all(2); }
