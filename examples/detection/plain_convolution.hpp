// SPDX-License-Identifier: MIT
/// A stage of the network that keeps the size of the image: 3x3 convolution with zero padding, ReLU.
#pragma once

#include "patches.hpp"

namespace detection {

template <class T>
struct plain_convolution {
  Eigen::Index in, out, side;  // channels in and out; the image is side x side

  constexpr Eigen::Index taps() const { return around().taps(); }
  constexpr Eigen::Index outputs() const { return out * side * side; }
  constexpr Eigen::Index size() const { return out * (taps() + 1); }  // weights, then biases

  void forward(const T* parameters, const T* image, T* active, demo::workspace<T>& work) const {
    around().gather(image, work.patches);
    auto plane = demo::map_of(active, out, side * side);
    plane.noalias() = demo::map_of(parameters, out, taps()) * work.patches;
    plane.colwise() += demo::map_of(parameters + out * taps(), out, 1).col(0);
    plane = plane.cwiseMax(T(0));
  }

  /// Adds to the gradient of the parameters; writes that of the image.
  void backward(const T* parameters, const T* image, const T* active, const T* active_gradient, T* gradient,
                T* image_gradient, demo::workspace<T>& work) const {
    const Eigen::Index pixels = side * side;
    work.plane = (demo::map_of(active, out, pixels).array() > T(0))
                     .select(demo::map_of(active_gradient, out, pixels).array(), T(0));
    around().gather(image, work.patches);
    demo::map_of(gradient, out, taps()).noalias() += work.plane * work.patches.transpose();
    demo::map_of(gradient + out * taps(), out, 1) += work.plane.rowwise().sum();
    work.patches.noalias() = demo::map_of(parameters, out, taps()).transpose() * work.plane;
    around().scatter(work.patches, image_gradient);
  }

  constexpr demo::neighbourhoods around() const { return {in, side}; }
};

}  // namespace detection
