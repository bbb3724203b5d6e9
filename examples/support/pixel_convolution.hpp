// SPDX-License-Identifier: MIT
/// A 3x3 convolution whose channels lie side by side, over many images at once.
#pragma once

#include "patches.hpp"

#include <algorithm>

namespace demo {

using Eigen::Index;

/// Zero padding, no biases: a norm follows. Images are rows of pixels, a row of a matrix per pixel, a column per
/// channel. Weights are (9 in) x out: for every tap, row by row, all channels.
template <class T>
struct pixel_convolution {
  Index in, out, side, stride;  // the images that come in are side x side; stride divides side

  Index taps() const { return 9 * in; }
  Index out_side() const { return side / stride; }
  Index images(const matrix<T>& x) const { return x.rows() / (side * side); }

  void forward(const T* weights, const matrix<T>& x, matrix<T>& y, matrix<T>& patches) const {
    y.resize(images(x) * out_side() * out_side(), out);
    each_part(images(x), [&](Index first, Index count) {
      gather(x, first, count, patches);
      part(y, first, count).noalias() = patches * map_of(weights, taps(), out);
    });
  }

  /// Adds to the gradient of the weights; writes that of x, unless it is null.
  void backward(const T* weights, const matrix<T>& x, const matrix<T>& y_gradient, T* gradient, matrix<T>* x_gradient,
                matrix<T>& patches) const {
    if (x_gradient != nullptr) x_gradient->setZero(x.rows(), in);
    each_part(images(x), [&](Index first, Index count) {
      gather(x, first, count, patches);
      const auto g = part(y_gradient, first, count);
      map_of(gradient, taps(), out).noalias() += patches.transpose() * g;
      if (x_gradient == nullptr) return;
      patches.noalias() = g * map_of(weights, taps(), out).transpose();
      scatter(patches, *x_gradient, first, count);
    });
  }

 private:
  /// work(first image, how many): as many as have their patches in a core's cache.
  template <class Work>
  void each_part(Index all, const Work& work) const {
    const Index at_once = std::max<Index>(1, 65536 / (out_side() * out_side() * taps()));
    for (Index first = 0; first < all; first += at_once) work(first, std::min(at_once, all - first));
  }
  template <class Matrix>
  auto part(Matrix& y, Index first, Index count) const {
    const Index pixels = out_side() * out_side();
    return y.middleRows(first * pixels, count * pixels);
  }

  /// A row per pixel of the result: its 3x3 neighbourhood, zeros from outside.
  void gather(const matrix<T>& x, Index first, Index count, matrix<T>& patches) const {
    patches.resize(count * out_side() * out_side(), taps());
    each_line(first, count, [&](Index patch, Index at, Index begin, Index end) {
      T* to = patches.data() + patch;
      std::fill(to, to + begin * in, T(0));
      if (begin < end) std::copy(x.data() + (at + begin) * in, x.data() + (at + end) * in, to + begin * in);
      std::fill(to + end * in, to + 3 * in, T(0));
    });
  }
  /// The transpose of gather: adds every neighbourhood to where it came from.
  void scatter(const matrix<T>& patches, matrix<T>& x, Index first, Index count) const {
    each_line(first, count, [&](Index patch, Index at, Index begin, Index end) {
      const T* from = patches.data() + patch;
      T* to = x.data() + at * in;
      for (Index k = begin * in; k < end * in; ++k) to[k] += from[k];
    });
  }
  /// visit(where a line of three taps begins in the patches, the pixel of its first tap, which of the three are
  /// inside).
  template <class Visit>
  void each_line(Index first, Index count, const Visit& visit) const {
    Index patch = 0;
    for (Index image = first; image < first + count; ++image)
      for (Index y = 0; y < side; y += stride)
        for (Index x = 0; x < side; x += stride)
          for (Index dy = -1; dy <= 1; ++dy, patch += 3 * in) {
            const bool inside = y + dy >= 0 && y + dy < side;
            const Index begin = inside && x == 0 ? 1 : 0, end = !inside ? 0 : x + 1 < side ? 3 : 2;
            visit(patch, (image * side + y + dy) * side + x - 1, begin, end);
          }
  }
};

}  // namespace demo
