// SPDX-License-Identifier: MIT
/// Paths and error texts on Windows: UTF-8 in hone, wide characters for the system.
#pragma once

#include <hone/core/windows.hpp>
#include <hone/io/io_error.hpp>

#if defined(_WIN32)
#include <cstddef>
#include <string>
#endif

#include <hone/core/macros_push.hpp>

#if defined(_WIN32)
namespace hone::inline HONE_ABI::detail::windows {

inline std::string narrow(wchar_t const* text, std::size_t size) {
  const int wide = static_cast<int>(size),
            bytes = WideCharToMultiByte(utf8, 0, text, wide, nullptr, 0, nullptr, nullptr);
  std::string made(static_cast<std::size_t>(bytes), '\0');
  WideCharToMultiByte(utf8, 0, text, wide, made.data(), bytes, nullptr, nullptr);
  return made;
}

/// Returns the text of Windows for an error of GetLastError, without the full stop and the end of the line.
inline std::string reason_of(dword error) {
  constexpr dword from_system = 0x1000, ignore_inserts = 0x200;
  wchar_t text[512];
  const dword size = FormatMessageW(from_system | ignore_inserts, nullptr, error, 0, text, 512, nullptr);
  std::string reason = narrow(text, size);
  while (!reason.empty() && (reason.back() == '\n' || reason.back() == '\r' || reason.back() == ' ')) reason.pop_back();
  if (!reason.empty() && reason.back() == '.') reason.pop_back();
  return reason.empty() ? "error " + std::to_string(error) : reason + " (error " + std::to_string(error) + ")";
}

[[noreturn]] inline void fail_file(const char* function, std::string const& path, const char* what,
                                   dword error = GetLastError()) {
  raise(io_error(std::string(function) + ": " + path + ": " + what + ": " + reason_of(error)));
}

/// Returns the path in the system's wide characters. Throws hone::io_error if it is not UTF-8.
inline std::wstring wide(const char* function, std::string const& path) {
  constexpr dword fail_if_invalid = 8;
  const int size = static_cast<int>(path.size());
  const int characters = MultiByteToWideChar(utf8, fail_if_invalid, path.data(), size, nullptr, 0);
  if (characters == 0 && size > 0) raise(io_error(std::string(function) + ": " + path + ": the path is not UTF-8"));
  std::wstring made(static_cast<std::size_t>(characters), L'\0');
  MultiByteToWideChar(utf8, fail_if_invalid, path.data(), size, made.data(), characters);
  return made;
}

}  // namespace hone::inline HONE_ABI::detail::windows
#endif

#include <hone/core/macros_pop.hpp>
