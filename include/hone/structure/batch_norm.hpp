// SPDX-License-Identifier: MIT
/// Statistics of batch normalisation that merge, and batch normalisation folded into a convolution: host code.
#pragma once

#include <hone/structure/plane_check.hpp>

#include <cmath>
#include <span>
#include <type_traits>

#include <hone/core/macros_push.hpp>

namespace hone::inline HONE_ABI {

/// Count, mean and Σ (x - mean)² of a channel, in double. Statistics of batches and of processes are merged, which
/// gives those of all samples: precise batch-norm statistics (Wu, Johnson 2021, arXiv 2105.07576) without a momentum.
struct channel_statistics {
  double count = 0, mean = 0, m2 = 0;

  /// Adds the statistics of other numbers (Chan et al. 1979). Those of nothing change nothing.
  HONE_HD constexpr void merge(channel_statistics const& other) noexcept {
    if (other.count == 0) return;
    const double all = count + other.count, delta = other.mean - mean, share = other.count / all;
    m2 += other.m2 + delta * delta * count * share;
    mean += delta * share;
    count = all;
  }
  /// Returns the variance with which a batch is normalised: m2 / count, 0 of nothing.
  constexpr double variance() const noexcept { return count > 0 ? m2 / count : 0; }
  /// Returns the variance that PyTorch keeps for evaluation: m2 / (count - 1), 0 of fewer than two numbers.
  constexpr double unbiased_variance() const noexcept { return count > 1 ? m2 / (count - 1) : 0; }
};

namespace detail {

/// The checks of measure_channels.
template <class T>
void require_measure_channels(image_view<const T> x, std::span<channel_statistics> to) {
  constexpr const char* function = "measure_channels";
  static_assert(element<T>, "measure_channels: x must be of float, double or a 16-bit type");
  require_planes(function, "x", x);
  if (static_cast<index>(to.size()) != x.channels)
    fail("measure_channels: to has %zu statistics for %jd channels", to.size(), std::intmax_t(x.channels));
  require_apart(function, "to", footprint_of(to), "x", footprint_of(x));
}

}  // namespace detail

/// What a batch normalisation knows of its channels: y = (x - mean) / sqrt(variance + epsilon) · scale + shift.
template <class A>
struct batch_norm_view {
  std::span<const A> mean, variance, scale, shift;
  real epsilon = 1e-5;
};

namespace detail {

/// Fails unless every variance plus epsilon is finite and positive. Reads the caller's memory.
template <class A>
void require_variances(const char* function, batch_norm_view<A> const& norm) {
  const double epsilon = norm.epsilon.value;
  for (const A v : norm.variance)
    require(v >= 0 && v + epsilon > 0 && finite(v + epsilon), function, "variance", double(v),
            "at least 0, and positive and finite with epsilon");
}

}  // namespace detail

/// Folds a batch normalisation into the convolution or product before it, in place: weight is outputs x the rest. The
/// bias, one number per output, must exist (0 if there was none). Throws hone::invalid_argument, and writes nothing, if
/// a size does not fit, or if a variance plus epsilon is not finite and positive.
template <class A>
void fold_batch_norm(batch_norm_view<A> const& norm, matrix_view<A> weight, std::span<A> bias) {
  static_assert(!std::is_const_v<A>, "fold_batch_norm: weight and bias are written, their type is const");
  static_assert(element<A>, "fold_batch_norm: weight and bias must be of float, double or a 16-bit type");
  constexpr const char* function = "fold_batch_norm";
  detail::require_valid(weight, "weight", function);
  const auto require_size = [&](const char* name, std::size_t size) {
    if (static_cast<index>(size) != weight.rows)
      detail::fail("%s: %s has %zu numbers, weight has %jd rows", function, name, size, std::intmax_t(weight.rows));
  };
  require_size("mean", norm.mean.size());
  require_size("variance", norm.variance.size());
  require_size("scale", norm.scale.size());
  require_size("shift", norm.shift.size());
  require_size("bias", bias.size());
  const double epsilon = norm.epsilon.value;
  detail::require_variances(function, norm);
  for (index o = 0; o < weight.rows; ++o) {
    const auto k = static_cast<std::size_t>(o);
    const double by = double(norm.scale[k]) / std::sqrt(double(norm.variance[k]) + epsilon);
    for (index i = 0; i < weight.columns; ++i) weight.row(o)[i] = static_cast<A>(double(weight.row(o)[i]) * by);
    bias[k] = static_cast<A>(double(norm.shift[k]) + (double(bias[k]) - double(norm.mean[k])) * by);
  }
}

}  // namespace hone::inline HONE_ABI

#include <hone/core/macros_pop.hpp>
