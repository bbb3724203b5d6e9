// SPDX-License-Identifier: MIT
/// A folder for a test's files.
#pragma once

#include <doctest/doctest.h>

#include <filesystem>
#include <iterator>
#include <random>
#include <string>

namespace support {

/// It is gone afterwards.
struct folder {
  std::filesystem::path path;

  folder() {
    std::random_device number;  // POSIX would have mkdtemp
    do path = std::filesystem::temp_directory_path() / ("hone." + std::to_string(number()));
    while (!std::filesystem::create_directory(path));
  }
  folder(folder const&) = delete;
  folder& operator=(folder const&) = delete;
  ~folder() { std::filesystem::remove_all(path); }

  std::string file(const char* name) const { return (path / name).string(); }
  auto files() const { return std::distance(std::filesystem::directory_iterator(path), {}); }
};

}  // namespace support
