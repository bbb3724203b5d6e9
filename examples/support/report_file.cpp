// SPDX-License-Identifier: MIT
#include "report_file.hpp"

#include <cerrno>
#include <cstdio>
#include <cstring>
#include <filesystem>
#include <fstream>
#include <stdexcept>

namespace demo {
namespace {

[[noreturn]] void fail(const std::string& file) { throw std::runtime_error(file + ": " + std::strerror(errno)); }

}  // namespace

void check_writable(const std::string& file) {
  const bool there = std::filesystem::exists(file);
  if (!std::ofstream(file, std::ios::app)) fail(file);
  if (!there) std::filesystem::remove(file);
}

void write_report(const std::string& file, const std::string& text) {
  const bool special = std::filesystem::exists(file) && !std::filesystem::is_regular_file(file);  // such as /dev/stdout
  const std::string begun = special ? file : file + ".part";
  {
    std::ofstream stream(begun, std::ios::trunc | std::ios::binary);
    stream << text << std::flush;
    if (!stream) {
      const int why = errno;
      std::error_code ignored;
      if (!special) std::filesystem::remove(begun, ignored);
      errno = why;
      fail(file);
    }
  }
  if (!special && std::rename(begun.c_str(), file.c_str()) != 0) fail(file);
}

}  // namespace demo
