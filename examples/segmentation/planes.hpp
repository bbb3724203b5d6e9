// SPDX-License-Identifier: MIT
/// Planes that halve and double their side.
#pragma once

#include <Eigen/Core>

namespace segmentation {

/// Max-pooling of 2 x 2 pixels. Of equal ones the first wins.
template <class T>
struct max_pool {
  Eigen::Index planes, side;  // the images are side x side, and side is even

  constexpr Eigen::Index outputs() const { return planes * side * side / 4; }

  void forward(const T* image, T* pooled) const {
    each_square([&](Eigen::Index top) { *pooled++ = image[winner(image, top)]; });
  }
  /// Adds to the gradient of the image.
  void backward(const T* image, const T* pooled_gradient, T* image_gradient) const {
    each_square([&](Eigen::Index top) { image_gradient[winner(image, top)] += *pooled_gradient++; });
  }

 private:
  /// visit(the top left pixel), in the order of the outputs.
  template <class Visit>
  void each_square(const Visit& visit) const {
    for (Eigen::Index row = 0; row < planes * side; row += 2)
      for (Eigen::Index x = 0; x < side; x += 2) visit(row * side + x);
  }
  Eigen::Index winner(const T* image, Eigen::Index top) const {
    const Eigen::Index below = top + side, upper = image[top] >= image[top + 1] ? top : top + 1;
    const Eigen::Index lower = image[below] >= image[below + 1] ? below : below + 1;
    return image[upper] >= image[lower] ? upper : lower;
  }
};

/// Every pixel becomes 2 x 2 pixels.
template <class T>
struct nearest_upsampling {
  Eigen::Index planes, side;  // of what comes in

  constexpr Eigen::Index outputs() const { return planes * side * side * 4; }

  void forward(const T* image, T* doubled) const {
    for (Eigen::Index row = 0; row < planes * side; ++row, image += side, doubled += 4 * side)
      for (Eigen::Index x = 0; x < side; ++x)
        doubled[2 * x] = doubled[2 * x + 1] = doubled[2 * (side + x)] = doubled[2 * (side + x) + 1] = image[x];
  }
  /// Writes the gradient of the image.
  void backward(const T* doubled_gradient, T* image_gradient) const {
    const T* g = doubled_gradient;
    for (Eigen::Index row = 0; row < planes * side; ++row, image_gradient += side, g += 4 * side)
      for (Eigen::Index x = 0; x < side; ++x)
        image_gradient[x] = g[2 * x] + g[2 * x + 1] + g[2 * (side + x)] + g[2 * (side + x) + 1];
  }
};

}  // namespace segmentation
