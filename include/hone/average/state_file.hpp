// SPDX-License-Identifier: MIT
/// A state as a file that is always whole: the old one or the new one, whatever stops the program in between.
#pragma once

#include <hone/average/ema_state.hpp>

#include <fcntl.h>
#include <unistd.h>
#include <atomic>
#include <cerrno>
#include <cstddef>
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

}  // namespace detail

/// Writes a file beside `path`, makes sure that it is on the disk, and renames it: `path` holds the old state until it
/// holds the new one, from whichever thread or program. Throws hone::io_error with the function, the path and the
/// reason; `path` is then as it was, or, where the last step failed (the fsync of the folder), holds the new state,
/// which a crash of the machine may still undo. A program killed in the middle leaves PATH.PROCESS.NUMBER.partial
/// behind, which may be removed.
template <class T, class Memory>
void save_file(ema_state<T, Memory> const& state, std::string const& path) {
  const std::size_t name = path.rfind('/');
  detail::file folder("save_file", name == std::string::npos ? "." : path.substr(0, name + 1));
  detail::file partial = detail::file::beside("save_file", path);
  state.write_to("save_file", [&](void const* data, std::size_t size) { partial.write(data, size); });
  partial.sync();
  partial.close();
  partial.move_to(path);
  folder.sync();
}

/// Reads such a file. Throws hone::io_error where there is none that can be read, hone::invalid_argument where it holds
/// another state, ends early or is damaged; the state is then as it was.
template <class T, class Memory>
void load_file(ema_state<T, Memory>& state, std::string const& path) {
  detail::file whole("load_file", path);
  const std::string where = "load_file: " + path;
  state.read_from(where.c_str(), [&](void* data, std::size_t size) { return whole.read(data, size); });
}

}  // namespace hone
