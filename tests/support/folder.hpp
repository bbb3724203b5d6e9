// SPDX-License-Identifier: MIT
/// A folder for a test's files.
#pragma once

#include <doctest/doctest.h>

#include <cstdlib>
#include <filesystem>
#include <iterator>
#include <string>

namespace support {

/// It is gone afterwards.
struct folder {
  std::filesystem::path path;

  folder() {
    std::string name = (std::filesystem::temp_directory_path() / "hone.XXXXXX").string();
    REQUIRE(::mkdtemp(name.data()) != nullptr);
    path = name;
  }
  folder(folder const&) = delete;
  folder& operator=(folder const&) = delete;
  ~folder() { std::filesystem::remove_all(path); }

  std::string file(const char* name) const { return (path / name).string(); }
  auto files() const { return std::distance(std::filesystem::directory_iterator(path), {}); }
};

}  // namespace support
