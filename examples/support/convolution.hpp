// SPDX-License-Identifier: MIT
/// One stage of the network on one image: 3x3 convolution with zero padding, ReLU, 2x2 max-pooling.
#pragma once

#include "patches.hpp"

#include <cstdint>

namespace demo {

template <class T>
struct convolution {
  Eigen::Index in, out, side;  // channels in and out; the image is side x side, and side is even

  constexpr Eigen::Index taps() const { return around().taps(); }
  constexpr Eigen::Index outputs() const { return out * side * side / 4; }
  constexpr Eigen::Index size() const { return out * (taps() + 1); }  // weights, then biases

  /// winners: which of its four pixels each output came from, or `closed` where the ReLU is.
  void forward(const T* parameters, const T* image, T* pooled, std::int32_t* winners, workspace<T>& work) const {
    around().gather(image, work.patches);
    work.plane.noalias() = map_of(parameters, out, taps()) * work.patches;
    const T* bias = parameters + out * taps();
    const T* top = work.plane.data();
    for (Eigen::Index row = 0; row < out * side / 2; ++row, top += 2 * side, pooled += side / 2, winners += side / 2)
      for (Eigen::Index x = 0; x < side / 2; ++x) {
        const T a = top[2 * x], b = top[2 * x + 1], c = top[side + 2 * x], d = top[side + 2 * x + 1];
        const T upper = a > b ? a : b, lower = c > d ? c : d, most = upper > lower ? upper : lower;
        const T value = most + bias[row / (side / 2)];
        const std::int32_t winner = a == most ? 0 : b == most ? 1 : c == most ? 2 : 3;
        winners[x] = value > T(0) ? winner : closed;
        pooled[x] = value > T(0) ? value : T(0);
      }
  }

  /// Adds to the gradient of the parameters; writes that of the image, unless image_gradient is null.
  void backward(const T* parameters, const T* image, const std::int32_t* winners, const T* pooled_gradient, T* gradient,
                T* image_gradient, workspace<T>& work) const {
    work.plane.setZero(out, side * side);
    T* top = work.plane.data();
    for (Eigen::Index channel = 0; channel < out; ++channel)
      for (Eigen::Index y = 0; y < side; y += 2, top += 2 * side)
        for (Eigen::Index x = 0; x < side; x += 2, ++winners, ++pooled_gradient)
          if (*winners != closed) top[(*winners >> 1) * side + (*winners & 1) + x] = *pooled_gradient;
    around().gather(image, work.patches);
    map_of(gradient, out, taps()).noalias() += work.plane * work.patches.transpose();
    map_of(gradient + out * taps(), out, 1) += work.plane.rowwise().sum();
    if (image_gradient == nullptr) return;
    work.patches.noalias() = map_of(parameters, out, taps()).transpose() * work.plane;
    around().scatter(work.patches, image_gradient);
  }

 private:
  static constexpr std::int32_t closed = 4;

  constexpr neighbourhoods around() const { return {in, side}; }
};

}  // namespace demo
