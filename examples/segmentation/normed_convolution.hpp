// SPDX-License-Identifier: MIT
/// A stage of the network: 3x3 convolution with zero padding, group normalisation, ReLU.
#pragma once

#include "patches.hpp"

#include <cmath>

namespace segmentation {

/// Group normalisation (Wu and He 2018, arXiv 1803.08494) of four channels each: it knows one image alone, so nothing
/// is different in tests, and averaged weights need no statistics of their own.
///   y = γ (x - mean) / √(variance + ε) + β, mean and variance over the pixels of a group's channels
template <class T>
struct normed_convolution {
  static constexpr Eigen::Index group = 4;  // channels
  static constexpr double epsilon = 1e-5;

  Eigen::Index in, out, side;  // channels in and out, `out` a multiple of `group`; the image is side x side

  constexpr Eigen::Index taps() const { return around().taps(); }
  constexpr Eigen::Index outputs() const { return out * side * side; }
  constexpr Eigen::Index size() const { return out * (taps() + 2); }  // weights, then γ, then β

  struct kept {                                 // from forward() for backward()
    demo::matrix<T> normal;                     // (x - mean) / √(variance + ε)
    Eigen::Matrix<T, Eigen::Dynamic, 1> scale;  // 1 / √(variance + ε), of each group
  };

  void forward(const T* parameters, const T* image, T* active, kept& k, demo::workspace<T>& work) const {
    around().gather(image, work.patches);
    k.normal.noalias() = demo::map_of(parameters, out, taps()) * work.patches;
    k.scale.resize(out / group);
    for (Eigen::Index g = 0; g < out / group; ++g) {
      auto channels = k.normal.middleRows(g * group, group).array();
      channels -= channels.mean();
      k.scale[g] = 1 / std::sqrt(channels.square().mean() + T(epsilon));
      channels *= k.scale[g];
    }
    const T *gamma = parameters + out * taps(), *beta = gamma + out;
    for (Eigen::Index c = 0; c < out; ++c)
      demo::map_of(active + c * side * side, 1, side * side) =
          (gamma[c] * k.normal.row(c).array() + beta[c]).cwiseMax(T(0));
  }

  /// Adds to the gradient of the parameters; writes that of the image, unless image_gradient is null.
  void backward(const T* parameters, const T* image, const T* active, const kept& k, const T* active_gradient,
                T* gradient, T* image_gradient, demo::workspace<T>& work) const {
    const Eigen::Index pixels = side * side;
    work.plane = (demo::map_of(active, out, pixels).array() > T(0))
                     .select(demo::map_of(active_gradient, out, pixels).array(), T(0));
    T *by_gamma = gradient + out * taps(), *by_beta = by_gamma + out;
    for (Eigen::Index c = 0; c < out; ++c) {
      auto plane = work.plane.row(c);
      by_gamma[c] += plane.dot(k.normal.row(c));
      by_beta[c] += plane.sum();
      plane *= parameters[out * taps() + c];
    }
    for (Eigen::Index g = 0; g < out / group; ++g) {
      auto plane = work.plane.middleRows(g * group, group).array();
      const auto normal = k.normal.middleRows(g * group, group).array();
      const T from_mean = plane.mean(), from_variance = (plane * normal).mean();
      plane = k.scale[g] * (plane - from_mean - from_variance * normal);
    }
    around().gather(image, work.patches);
    demo::map_of(gradient, out, taps()).noalias() += work.plane * work.patches.transpose();
    if (image_gradient == nullptr) return;
    work.patches.noalias() = demo::map_of(parameters, out, taps()).transpose() * work.plane;
    around().scatter(work.patches, image_gradient);
  }

  constexpr demo::neighbourhoods around() const { return {in, side}; }
};

}  // namespace segmentation
