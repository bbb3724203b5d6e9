// SPDX-License-Identifier: MIT
/// Files that hold complete contents at any time, by the calls of POSIX.
#pragma once

#include <hone/io/io_error.hpp>

#if !defined(_WIN32)
#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>
#include <atomic>
#include <cerrno>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <string>
#include <utility>
#endif

#include <hone/core/macros_push.hpp>

#if !defined(_WIN32)
namespace hone::inline HONE_ABI {

namespace detail {

[[noreturn]] inline void fail_file(const char* function, std::string const& path, const char* what) {
  const int code = errno;
  raise(io_error(std::string(function) + ": " + path + ": " + what + ": " + std::strerror(code)));
}

/// Refuses pipes and devices: a pipe would block or lose its contents, and a file must not replace a device.
inline void require_file_or_folder(const char* function, std::string const& path, ::mode_t mode) {
  if (!S_ISREG(mode) && !S_ISDIR(mode))
    raise(io_error(std::string(function) + ": " + path + ": a pipe, a socket or a device, must be a file"));
}

/// Returns the path of the file to write for `path`: the target of its symbolic links, whether it exists or not.
inline std::string path_to_write(const char* function, std::string path) {
  char target[4096];
  for (int links = 0;; ++links) {
    const ::ssize_t n = ::readlink(path.c_str(), target, sizeof target);
    if (n < 0) break;
    if (links == 40) {
      errno = ELOOP;
      fail_file(function, path, "readlink");
    }
    std::string to(target, static_cast<std::size_t>(n));
    if (!to.starts_with('/')) to.insert(0, path, 0, path.rfind('/') + 1);
    path = std::move(to);
  }
  struct ::stat there;
  if (::stat(path.c_str(), &there) == 0) require_file_or_folder(function, path, there.st_mode);
  return path;
}

/// An open file. The destructor removes a temporary file that move_to has not renamed.
class file {
 public:
  /// Opens a file for reading. For a pipe, does not wait for the other end.
  file(const char* function, std::string path) : function_(function), path_(std::move(path)) {
    if (!open(O_RDONLY | O_NONBLOCK)) fail_file(function_, path_, "open");
    struct ::stat opened;
    if (::fstat(descriptor_, &opened) != 0) fail_file(function_, path_, "fstat");
    require_file_or_folder(function_, path_, opened.st_mode);
  }
  /// Creates a file of a unique name beside `path`, with the mode of the file at `path` if there is one.
  static file beside(const char* function, std::string const& path) {
    static std::atomic<unsigned> count{0};
    const std::string own = path + "." + std::to_string(::getpid()) + ".";
    for (;;) {
      file made(function, own + std::to_string(count++) + ".partial", 0);
      if (!made.temporary_) continue;
      struct ::stat old;
      if (::stat(path.c_str(), &old) == 0 && S_ISREG(old.st_mode) &&
          ::fchmod(made.descriptor_, old.st_mode & 07777) != 0 && errno != EPERM)
        fail_file(function, path, "fchmod");
      return made;
    }
  }
  file(file&& other) noexcept
      : function_(other.function_),
        path_(std::move(other.path_)),
        descriptor_(std::exchange(other.descriptor_, -1)),
        temporary_(std::exchange(other.temporary_, false)) {}
  file& operator=(file const&) = delete;
  ~file() {
    if (descriptor_ >= 0) ::close(descriptor_);
    if (temporary_) ::unlink(path_.c_str());
  }

  void write(void const* data, std::size_t size) {
    for (auto const* at = static_cast<char const*>(data); size > 0;) {
      const ::ssize_t n = ::write(descriptor_, at, size);
      if (n < 0 && errno != EINTR) fail_file(function_, path_, "write");
      if (n > 0) at += n, size -= static_cast<std::size_t>(n);
    }
  }
  /// Returns the number of bytes read; fewer than `size` at the end of the file.
  std::size_t read(void* data, std::size_t size) {
    std::size_t got = 0;
    while (got < size) {
      const ::ssize_t n = ::read(descriptor_, static_cast<char*>(data) + got, size - got);
      if (n < 0 && errno != EINTR) fail_file(function_, path_, "read");
      if (n == 0) break;
      if (n > 0) got += static_cast<std::size_t>(n);
    }
    return got;
  }
  /// Reads at a position, independently of read() and write().
  std::size_t read_at(std::int64_t place, void* data, std::size_t size) const {
    std::size_t got = 0;
    while (got < size) {
      const ::ssize_t n = ::pread(descriptor_, static_cast<char*>(data) + got, size - got,
                                  static_cast<::off_t>(place + std::int64_t(got)));
      if (n < 0 && errno != EINTR) fail_file(function_, path_, "read");
      if (n == 0) break;
      if (n > 0) got += static_cast<std::size_t>(n);
    }
    return got;
  }
  void write_at(std::int64_t place, void const* data, std::size_t size) {
    for (auto const* at = static_cast<char const*>(data); size > 0;) {
      const ::ssize_t n = ::pwrite(descriptor_, at, size, ::off_t(place));
      if (n < 0 && errno != EINTR) fail_file(function_, path_, "write");
      if (n > 0) at += n, place += n, size -= static_cast<std::size_t>(n);
    }
  }
  void truncate(std::int64_t size) {
    if (::ftruncate(descriptor_, ::off_t(size)) != 0) fail_file(function_, path_, "ftruncate");
  }
  std::int64_t size() const {
    const ::off_t end = ::lseek(descriptor_, 0, SEEK_END);
    if (end < 0) fail_file(function_, path_, "lseek");
    return end;
  }
  /// Returns when the data is on the disk. Some file systems cannot do this for a folder, which is no error.
  void sync() {
    if (::fsync(descriptor_) != 0 && errno != EINVAL) fail_file(function_, path_, "fsync");
  }
  void close() {
    if (::close(std::exchange(descriptor_, -1)) != 0) fail_file(function_, path_, "close");
  }
  /// Replaces the file at `path` by this one in one step.
  void move_to(std::string const& path) {
    if (::rename(path_.c_str(), path.c_str()) != 0) fail_file(function_, path, "rename");
    temporary_ = false;
  }

 private:
  /// Creates a temporary file; leaves an existing file alone.
  file(const char* function, std::string path, int) : function_(function), path_(std::move(path)) {
    temporary_ = open(O_WRONLY | O_CREAT | O_EXCL);
    if (!temporary_ && errno != EEXIST) fail_file(function_, path_, "open");
  }
  bool open(int flags) {
    do descriptor_ = ::open(path_.c_str(), flags | O_CLOEXEC, 0666);
    while (descriptor_ < 0 && errno == EINTR);
    return descriptor_ >= 0;
  }

  const char* function_;
  std::string path_;
  int descriptor_ = -1;
  bool temporary_ = false;
};

/// Opens the folder of a path, to sync it after a file in it was renamed.
inline file folder_of(const char* function, std::string const& path) {
  const std::size_t name = path.rfind('/');
  return file(function, name == std::string::npos ? "." : path.substr(0, name + 1));
}

}  // namespace detail
}  // namespace hone::inline HONE_ABI
#endif

#include <hone/core/macros_pop.hpp>
