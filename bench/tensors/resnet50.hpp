// SPDX-License-Identifier: MIT
/// The sizes of the tensors of ResNet-50.
#pragma once

#include <cstdint>
#include <vector>

namespace bench {

/// The 161 tensors: of 53 convolutions, each with its batch norm, and of the last layer. 25.6 million numbers, or
/// size(n) numbers for a tensor of n.
template <class Size>
std::vector<std::int64_t> sizes_of_resnet50(Size const& size) {
  using index = std::int64_t;
  std::vector<index> sizes;
  const auto add = [&](index n) { sizes.push_back(size(n)); };
  const auto convolution = [&](index from, index to, index side) {
    for (const index n : {from * to * side * side, to, to}) add(n);
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
  for (const index n : {2048 * 1000, 1000}) add(n);
  return sizes;
}

}  // namespace bench
