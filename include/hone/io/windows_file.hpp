// SPDX-License-Identifier: MIT
/// Files that hold complete contents at any time, by the calls of Windows. Other programs may read, replace and remove
/// a file while it is open here.
#pragma once

#include <hone/io/windows_text.hpp>

#if defined(_WIN32)
#include <algorithm>
#include <atomic>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <string>
#include <utility>
#endif

#include <hone/core/macros_push.hpp>

#if defined(_WIN32)
namespace hone::inline HONE_ABI::detail {

namespace windows {

inline constexpr dword to_ask = 0, to_read = 0x80000000, to_write = 0x40000000;
inline constexpr dword create_new = 1, open_existing = 3;
inline constexpr dword read_only = 0x1, folder = 0x10, reparse_point = 0x400;  // attributes

inline handle nothing() noexcept { return reinterpret_cast<handle>(static_cast<std::intptr_t>(-1)); }

/// Opens a file or a folder.
inline handle open(std::wstring const& path, dword access, dword disposition) noexcept {
  constexpr dword share_all = 7, backup_semantics = 0x02000000;
  return CreateFileW(path.c_str(), access, share_all, nullptr, disposition, backup_semantics, nullptr);
}

/// Returns the attributes of a path, or 0 if nothing is there.
inline dword attributes_of(std::wstring const& path) noexcept {
  const dword attributes = GetFileAttributesW(path.c_str());
  return attributes == ~dword(0) ? 0 : attributes;
}

/// Refuses pipes and devices: a pipe would block or lose its contents, and a file must not replace a device.
inline void require_disk(const char* function, std::string const& path, handle opened) {
  constexpr dword disk = 1;
  if (GetFileType(opened) != disk)
    raise(io_error(std::string(function) + ": " + path + ": a pipe, a socket or a device, must be a file"));
}

/// Repeats a call until it succeeds, for two seconds: Windows refuses a file while another program replaces or scans
/// it, and does not replace a file while a program reads it. The pauses vary, so that programs do not stay in step.
template <class Call>
bool persist(Call const& call) {
  const auto end = std::chrono::steady_clock::now() + std::chrono::seconds(2);
  for (dword tries = 0;; ++tries) {
    if (call()) return true;
    const dword error = GetLastError();
    if (error != access_denied && error != sharing_violation) return false;
    if (std::chrono::steady_clock::now() > end) {
      SetLastError(error);
      return false;
    }
    Sleep(tries * 7 % 13);
  }
}

/// The OVERLAPPED of <windows.h>.
struct overlapped {
  dword_ptr internal = 0, internal_high = 0;
  dword low = 0, high = 0;
  handle event = nullptr;

  explicit overlapped(std::int64_t place) noexcept
      : low(static_cast<dword>(place & 0xffffffff)), high(static_cast<dword>(place >> 32)) {}
  ::_OVERLAPPED* get() noexcept { return reinterpret_cast<::_OVERLAPPED*>(this); }
};

}  // namespace windows

/// Returns the path of the file to write for `path`: the target of its symbolic links, which must exist.
inline std::string path_to_write(const char* function, std::string const& path) {
  const std::wstring name = windows::wide(function, path);
  const windows::dword attributes = windows::attributes_of(name);
  const windows::handle there = windows::open(name, windows::to_ask, windows::open_existing);
  if (there == windows::nothing()) {
    if (attributes & windows::reparse_point) windows::fail_file(function, path, "open what the link leads to");
    return path;
  }
  struct closing {
    windows::handle file;
    ~closing() { windows::CloseHandle(file); }
  } const open{there};
  windows::require_disk(function, path, there);
  std::wstring target = name;
  if (attributes & windows::reparse_point) {
    target.assign(32768, L'\0');
    const windows::dword size = windows::GetFinalPathNameByHandleW(there, target.data(), 32768, 0);
    if (size == 0 || size > target.size()) windows::fail_file(function, path, "GetFinalPathNameByHandle");
    target.resize(size);
  }
  if ((windows::attributes_of(target) & (windows::read_only | windows::folder)) == windows::read_only)
    raise(io_error(std::string(function) + ": " + path + ": a read-only file, must be writable"));
  return windows::narrow(target.data(), target.size());
}

/// An open file. The destructor removes a temporary file that move_to has not renamed.
class file {
 public:
  file(const char* function, std::string path)
      : function_(function), path_(std::move(path)), name_(windows::wide(function_, path_)) {
    if (!windows::persist([&] {
          handle_ = windows::open(name_, windows::to_read, windows::open_existing);
          return is_open();
        }))
      windows::fail_file(function_, path_, "open");
    windows::require_disk(function_, path_, handle_);
    folder_ = (windows::attributes_of(name_) & windows::folder) != 0;
  }
  /// Creates a file of a unique name beside `path`.
  static file beside(const char* function, std::string const& path) {
    static std::atomic<unsigned> count{0};
    const std::string own = path + "." + std::to_string(windows::GetCurrentProcessId()) + ".";
    for (;;) {
      file made(function, own + std::to_string(count++) + ".partial", 0);
      if (made.temporary_) return made;
    }
  }
  file(file&& other) noexcept
      : function_(other.function_),
        path_(std::move(other.path_)),
        name_(std::move(other.name_)),
        handle_(std::exchange(other.handle_, windows::nothing())),
        next_(other.next_),
        temporary_(std::exchange(other.temporary_, false)),
        folder_(other.folder_) {}
  file& operator=(file const&) = delete;
  ~file() {
    if (is_open()) windows::CloseHandle(handle_);
    if (temporary_) windows::DeleteFileW(name_.c_str());
  }

  void write(void const* data, std::size_t size) {
    write_at(next_, data, size);
    next_ += static_cast<std::int64_t>(size);
  }
  /// Returns the number of bytes read; fewer than `size` at the end of the file.
  std::size_t read(void* data, std::size_t size) {
    const std::size_t got = read_at(next_, data, size);
    next_ += static_cast<std::int64_t>(got);
    return got;
  }
  /// Reads at a position, independently of read() and write(): every call passes its position, because every call moves
  /// the system's file pointer.
  std::size_t read_at(std::int64_t place, void* data, std::size_t size) const {
    if (folder_ && size > 0) windows::fail_file(function_, path_, "read", windows::directory_not_supported);
    std::size_t got = 0;
    while (got < size) {
      windows::overlapped at(place + static_cast<std::int64_t>(got));
      windows::dword n = 0;
      if (!windows::ReadFile(handle_, static_cast<char*>(data) + got, piece_of(size - got), &n, at.get())) {
        if (windows::GetLastError() == windows::handle_eof) break;
        windows::fail_file(function_, path_, "read");
      }
      if (n == 0) break;
      got += n;
    }
    return got;
  }
  void write_at(std::int64_t place, void const* data, std::size_t size) {
    for (auto const* from = static_cast<char const*>(data); size > 0;) {
      windows::overlapped at(place);
      windows::dword n = 0;
      if (!windows::WriteFile(handle_, from, piece_of(size), &n, at.get()))
        windows::fail_file(function_, path_, "write");
      from += n, place += n, size -= n;
    }
  }
  void truncate(std::int64_t size) {
    const windows::overlapped at(size);
    long high = static_cast<long>(at.high);
    if ((windows::SetFilePointer(handle_, static_cast<long>(at.low), &high, 0) == ~windows::dword(0) &&
         windows::GetLastError() != 0) ||
        !windows::SetEndOfFile(handle_))
      windows::fail_file(function_, path_, "truncate");
  }
  std::int64_t size() const {
    windows::dword high = 0;
    const windows::dword low = windows::GetFileSize(handle_, &high);
    if (low == ~windows::dword(0) && windows::GetLastError() != 0) windows::fail_file(function_, path_, "size");
    return static_cast<std::int64_t>(std::uint64_t(high) << 32 | low);
  }
  /// Returns when the data is on the disk. Nothing to do for a folder: move_to returns after the name is on the disk.
  void sync() {
    if (!folder_ && !windows::FlushFileBuffers(handle_)) windows::fail_file(function_, path_, "flush");
  }
  void close() {
    if (!windows::CloseHandle(std::exchange(handle_, windows::nothing())))
      windows::fail_file(function_, path_, "close");
  }
  /// Replaces the file at `path` by this one in one step.
  void move_to(std::string const& path) {
    constexpr windows::dword replace_existing = 1, write_through = 8;
    const std::wstring to = windows::wide(function_, path);
    if (windows::attributes_of(to) & windows::folder)
      windows::fail_file(function_, path, "rename", windows::directory_not_supported);
    if (!windows::persist(
            [&] { return windows::MoveFileExW(name_.c_str(), to.c_str(), replace_existing | write_through) != 0; }))
      windows::fail_file(function_, path, "rename");
    temporary_ = false;
  }

 private:
  /// Creates a temporary file; leaves an existing file alone.
  file(const char* function, std::string path, int)
      : function_(function), path_(std::move(path)), name_(windows::wide(function_, path_)) {
    handle_ = windows::open(name_, windows::to_read | windows::to_write, windows::create_new);
    temporary_ = is_open();
    if (!temporary_ && windows::GetLastError() != windows::file_exists) windows::fail_file(function_, path_, "open");
  }
  bool is_open() const noexcept { return handle_ != windows::nothing(); }
  static windows::dword piece_of(std::size_t size) noexcept {
    return static_cast<windows::dword>(std::min<std::size_t>(size, std::size_t(1) << 30));
  }

  const char* function_;
  std::string path_;
  std::wstring name_;  // the path for system calls
  windows::handle handle_ = windows::nothing();
  std::int64_t next_ = 0;  // position of the next read() or write()
  bool temporary_ = false;
  bool folder_ = false;
};

/// Opens the folder of a path, so that a folder that cannot be opened is reported before anything is written.
inline file folder_of(const char* function, std::string const& path) {
  const std::size_t name = path.find_last_of("/\\:");
  if (name == std::string::npos) return file(function, ".");
  const std::string before = path.substr(0, name + 1);
  return file(function, before.back() == ':' ? before + "." : before);
}

}  // namespace hone::inline HONE_ABI::detail
#endif

#include <hone/core/macros_pop.hpp>
