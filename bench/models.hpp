// SPDX-License-Identifier: MIT
/// A model's tensors, and the benchmarks that work on them.
#pragma once

#include <hone/core/tensor_list.hpp>

#include <string>
#include <vector>

namespace bench {

using hone::index;

/// The 161 tensors: of 53 convolutions, each with its batch norm, and of the last layer. 25.6 million numbers.
inline std::vector<index> resnet50() {
  std::vector<index> sizes;
  const auto convolution = [&](index from, index to, index side) {
    for (const index n : {from * to * side * side, to, to}) sizes.push_back(n);
  };
  convolution(3, 64, 7);
  index in = 64;
  const int blocks[] = {3, 4, 6, 3};
  for (int layer = 0; layer < 4; ++layer) {
    const index width = index(64) << layer;
    for (int block = 0; block < blocks[layer]; ++block) {
      convolution(in, width, 1);
      convolution(width, width, 3);
      convolution(width, 4 * width, 1);
      if (block == 0) convolution(in, 4 * width, 1);
      in = 4 * width;
    }
  }
  for (const index n : {2048 * 1000, 1000}) sizes.push_back(n);
  return sizes;
}

template <class T>
struct model {
  std::vector<std::vector<T>> numbers;
  hone::tensor_list<T> list;

  explicit model(std::vector<index> const& sizes) {
    for (const index n : sizes) {
      numbers.emplace_back(static_cast<std::size_t>(n));
      for (index i = 0; i < n; ++i)
        numbers.back()[static_cast<std::size_t>(i)] = static_cast<T>(float(i % 1000) * 1e-3f);
      list.push_back({numbers.back().data(), n});
    }
  }
};

/// Print the rows of boxes, mixed images, averages, gradients and a whole training step; threads 0 means 1 and 2.
void boxes(double budget, std::string const& filter, int threads);
void mixing(double budget, std::string const& filter, int threads);
void averages(double budget, std::string const& filter, int threads);
void gradients(double budget, std::string const& filter, int threads);
void steps(double budget, std::string const& filter, int threads);

}  // namespace bench
