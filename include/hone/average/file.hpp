// SPDX-License-Identifier: MIT
/// Files that are always whole: the old one or the new one, whatever stops the program in between.
#pragma once

#include <hone/average/state_stream.hpp>

#include <fcntl.h>
#include <unistd.h>
#include <atomic>
#include <cerrno>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <string>
#include <utility>

namespace hone {

namespace detail {

[[noreturn]] inline void fail_file(const char* function, std::string const& path, const char* what) {
  const int code = errno;
  raise(io_error(std::string(function) + ": " + path + ": " + what + ": " + std::strerror(code)));
}

/// An open file; removed again at the end, unless it was kept.
class file {
 public:
  file(const char* function, std::string path) : function_(function), path_(std::move(path)) {
    if (!open(O_RDONLY)) fail_file(function_, path_, "open");
  }
  /// A new one beside `path`, of a name that nobody else has.
  static file beside(const char* function, std::string const& path) {
    static std::atomic<unsigned> count{0};
    const std::string own = path + "." + std::to_string(::getpid()) + ".";
    for (;;) {
      file made(function, own + std::to_string(count++) + ".partial", 0);
      if (made.temporary_) return made;
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
  /// Fewer than asked for where the file ends.
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
  /// At a place of the file, wherever it is read and written otherwise.
  std::size_t read_at(std::int64_t place, void* data, std::size_t size) const {
    std::size_t got = 0;
    while (got < size) {
      const ::ssize_t n = ::pread(descriptor_, static_cast<char*>(data) + got, size - got, place + ::off_t(got));
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
  std::int64_t size() const {
    const ::off_t end = ::lseek(descriptor_, 0, SEEK_END);
    if (end < 0) fail_file(function_, path_, "lseek");
    return end;
  }
  /// On the disk when it returns. Not every file system can do that for a folder.
  void sync() {
    if (::fsync(descriptor_) != 0 && errno != EINVAL) fail_file(function_, path_, "fsync");
  }
  void close() {
    if (::close(std::exchange(descriptor_, -1)) != 0) fail_file(function_, path_, "close");
  }
  /// The file takes the place of another in one step.
  void move_to(std::string const& path) {
    if (::rename(path_.c_str(), path.c_str()) != 0) fail_file(function_, path, "rename");
    temporary_ = false;
  }

 private:
  /// A file that was there already is left alone.
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

/// The folder that a path is in, to be synced when a file in it has got another name.
inline file folder_of(const char* function, std::string const& path) {
  const std::size_t name = path.rfind('/');
  return file(function, name == std::string::npos ? "." : path.substr(0, name + 1));
}

}  // namespace detail
}  // namespace hone
