// SPDX-License-Identifier: MIT
/// The 3x3 neighbourhoods of an image as columns of a matrix, so that a convolution is a product of matrices.
#pragma once

#include <Eigen/Core>

#include <algorithm>
#include <type_traits>

namespace demo {

template <class T>
using matrix = Eigen::Matrix<T, Eigen::Dynamic, Eigen::Dynamic, Eigen::RowMajor>;

/// A row-major view of numbers, const where they are.
template <class T>
auto map_of(T* data, Eigen::Index rows, Eigen::Index columns) {
  using plain = matrix<std::remove_const_t<T>>;
  return Eigen::Map<std::conditional_t<std::is_const_v<T>, const plain, plain>>(data, rows, columns);
}

/// Scratch space of one thread at a time; nothing in it survives a call.
template <class T>
struct workspace {
  matrix<T> patches, plane;
};

/// Of an image of `channels` planes, side x side each: one row per tap, channels * 9 in all.
struct neighbourhoods {
  Eigen::Index channels, side;

  constexpr Eigen::Index taps() const { return channels * 9; }

  /// Every row of `patches` becomes the image shifted by its tap, with zeros from outside.
  template <class T>
  void gather(const T* image, matrix<T>& patches) const {
    patches.resize(taps(), side * side);
    each_row(patches, [&](T* patch, Eigen::Index from, Eigen::Index to, Eigen::Index at) {
      std::fill(patch, patch + from, T(0));
      if (from < to) std::copy(image + at + from, image + at + to, patch + from);
      std::fill(patch + to, patch + side, T(0));
    });
  }

  /// The transpose of gather: adds every patch to where it came from.
  template <class T>
  void scatter(matrix<T>& patches, T* image) const {
    std::fill(image, image + channels * side * side, T(0));
    each_row(patches, [&](const T* patch, Eigen::Index from, Eigen::Index to, Eigen::Index at) {
      for (Eigen::Index x = from; x < to; ++x) image[at + x] += patch[x];
    });
  }

 private:
  /// visit(row of a patch, first and last + 1 of its pixels inside the image, where its pixel 0 is there).
  template <class T, class Visit>
  void each_row(matrix<T>& patches, const Visit& visit) const {
    T* patch = patches.data();
    for (Eigen::Index c = 0; c < channels; ++c)
      for (Eigen::Index dy = -1; dy <= 1; ++dy)
        for (Eigen::Index dx = -1; dx <= 1; ++dx)
          for (Eigen::Index y = 0; y < side; ++y, patch += side) {
            const bool inside = y + dy >= 0 && y + dy < side;
            const Eigen::Index from = inside ? std::max<Eigen::Index>(0, -dx) : 0;
            const Eigen::Index to = inside ? std::min(side, side - dx) : 0;
            visit(patch, from, to, (c * side + y + dy) * side + dx);
          }
  }
};

}  // namespace demo
