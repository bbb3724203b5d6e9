// SPDX-License-Identifier: MIT
/// Batch normalisation of the columns of a matrix (Ioffe and Szegedy 2015, arXiv 1502.03167).
#pragma once

#include "patches.hpp"

namespace demo {

using Eigen::Index;

/// y = γ (x - mean) / √(variance + ε) + β, by the batch in training, by running statistics elsewhere.
/// Parameters: γ, then β. Statistics: mean, then variance (biased in both uses).
template <class T>
struct batch_norm {
  static constexpr double epsilon = 1e-5, momentum = 0.1;  // momentum: what a batch adds to the statistics

  Index channels;

  struct kept {               // from forward() in training for backward()
    matrix<T> normal, scale;  // (x - mean) / √(variance + ε), and 1 / √(variance + ε)
  };

  /// In place.
  void forward(const T* parameters, T* statistics, matrix<T>& x, kept& k, bool training) const {
    auto running_mean = map_of(statistics, 1, channels), running_variance = map_of(statistics + channels, 1, channels);
    const auto gamma = map_of(parameters, 1, channels), beta = map_of(parameters + channels, 1, channels);
    if (!training) {
      const matrix<T> factor = gamma.array() * (running_variance.array() + T(epsilon)).rsqrt();
      const matrix<T> offset = beta.array() - running_mean.array() * factor.array();
      x = (x.array().rowwise() * factor.array().row(0)).rowwise() + offset.array().row(0);
      return;
    }
    const matrix<T> mean = x.colwise().mean();
    k.normal = x.rowwise() - mean.row(0);
    const matrix<T> variance = k.normal.colwise().squaredNorm() / static_cast<T>(x.rows());
    k.scale = (variance.array() + T(epsilon)).rsqrt();
    k.normal.array().rowwise() *= k.scale.array().row(0);
    x = (k.normal.array().rowwise() * gamma.array().row(0)).rowwise() + beta.array().row(0);
    running_mean += T(momentum) * (mean - running_mean);
    running_variance += T(momentum) * (variance - running_variance);
  }

  /// In place: the gradient of y becomes that of x. Writes the gradient of the parameters.
  void backward(const T* parameters, const kept& k, matrix<T>& g, T* gradient) const {
    auto gamma_gradient = map_of(gradient, 1, channels), beta_gradient = map_of(gradient + channels, 1, channels);
    beta_gradient = g.colwise().sum();
    gamma_gradient = (g.array() * k.normal.array()).colwise().sum();
    const auto n = static_cast<T>(g.rows());
    const matrix<T> factor = map_of(parameters, 1, channels).array() * k.scale.array();
    const matrix<T> from_mean = beta_gradient / n, from_variance = gamma_gradient / n;
    g = ((g.rowwise() - from_mean.row(0)).array() - k.normal.array().rowwise() * from_variance.array().row(0))
            .rowwise() *
        factor.array().row(0);
  }
};

}  // namespace demo
