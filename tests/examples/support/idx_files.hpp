// SPDX-License-Identifier: MIT
/// A folder of its own for a test, and a small made-up data set in it.
#pragma once

#include "data.hpp"

#include <zlib.h>

#include <atomic>
#include <cstdint>
#include <cstdlib>
#include <fstream>
#include <initializer_list>
#include <string>

#include <unistd.h>

namespace test {

namespace fs = std::filesystem;

/// Removed with all that is in it.
struct folder {
  fs::path path;

  folder() {
    static std::atomic<int> count{0};
    path = fs::temp_directory_path() / ("hone-fashion-" + std::to_string(getpid()) + "-" + std::to_string(count++));
    fs::create_directories(path);
  }
  folder(const folder&) = delete;
  folder& operator=(const folder&) = delete;
  ~folder() {
    std::error_code ignored;
    fs::remove_all(path, ignored);
  }

  fs::path operator/(const std::string& name) const { return path / name; }
};

inline std::string big_endian(std::initializer_list<std::uint32_t> numbers) {
  std::string bytes;
  for (const std::uint32_t n : numbers)
    for (const int shift : {24, 16, 8, 0}) bytes += static_cast<char>(n >> shift & 0xff);
  return bytes;
}

inline void write_plain(const fs::path& file, const std::string& bytes) {
  std::ofstream(file, std::ios::binary) << bytes;
}

inline void write_gz(const fs::path& file, const std::string& bytes) {
  gzFile stream = gzopen(file.c_str(), "wb");
  gzwrite(stream, bytes.data(), static_cast<unsigned>(bytes.size()));
  gzclose(stream);
}

inline std::string read(const fs::path& file) {
  std::ifstream stream(file, std::ios::binary);
  return {std::istreambuf_iterator<char>(stream), {}};
}

/// Label i % 10; the image is a bright bar at a height that its label says, over a little noise.
inline std::string images(std::uint32_t count) {
  std::string bytes = big_endian({0x803, count, 28, 28});
  std::uint32_t noise = 1;
  for (std::uint32_t i = 0; i < count; ++i)
    for (std::uint32_t pixel = 0; pixel < demo::image_pixels; ++pixel) {
      noise = noise * 1664525 + 1013904223;
      const bool bar = pixel / 28 / 2 == 2 + i % 10;
      bytes += static_cast<char>((bar ? 150 : 0) + (noise >> 24) % 100);
    }
  return bytes;
}

inline std::string labels(std::uint32_t count) {
  std::string bytes = big_endian({0x801, count});
  for (std::uint32_t i = 0; i < count; ++i) bytes += static_cast<char>(i % 10);
  return bytes;
}

constexpr const char* train_images = "train-images-idx3-ubyte";
constexpr const char* train_labels = "train-labels-idx1-ubyte";
constexpr const char* test_images = "t10k-images-idx3-ubyte";
constexpr const char* test_labels = "t10k-labels-idx1-ubyte";

inline void write_data(const fs::path& where, std::uint32_t train, std::uint32_t test) {
  write_plain(where / train_images, images(train));
  write_plain(where / train_labels, labels(train));
  write_plain(where / test_images, images(test));
  write_plain(where / test_labels, labels(test));
}

}  // namespace test
