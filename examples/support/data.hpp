// SPDX-License-Identifier: MIT
/// Fashion-MNIST from its idx files, plain or compressed with gzip.
#pragma once

#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <stdexcept>
#include <vector>

namespace demo {

/// Where Debian's package dataset-fashion-mnist puts the files.
inline constexpr const char* debian_folder = "/usr/share/datasets/fashion-mnist";

inline constexpr std::size_t image_side = 28, image_pixels = image_side * image_side, class_count = 10;

/// A missing, truncated or corrupt file; the message names the file and what is wrong with it.
struct data_error : std::runtime_error {
  using std::runtime_error::runtime_error;
};

struct image_set {
  std::vector<std::uint8_t> pixels;  // size() x 784, row-major
  std::vector<int> labels;           // 0 … 9

  std::size_t size() const { return labels.size(); }
  /// The images [begin, end).
  image_set part(std::size_t begin, std::size_t end) const;
};

struct dataset {
  image_set train, test;
};

/// Reads train-images-idx3-ubyte, train-labels-idx1-ubyte, t10k-images-idx3-ubyte and t10k-labels-idx1-ubyte
/// (each also with .gz) and checks everything in them. An empty folder stands for debian_folder.
dataset read_dataset(const std::filesystem::path& folder);

}  // namespace demo
