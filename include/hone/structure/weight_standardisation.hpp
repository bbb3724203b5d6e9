// SPDX-License-Identifier: MIT
/// Weight standardisation (Qiao et al. 2019, arXiv 1903.10520): the weights of each output of a convolution get mean 0
/// and variance 1 before they are used. Host code, for weights in host memory.
#pragma once

#include <hone/core/narrowed.hpp>
#include <hone/structure/plane_check.hpp>

#include <cmath>
#include <span>
#include <type_traits>

#include <hone/core/macros_push.hpp>

namespace hone::inline HONE_ABI {

/// With the mean and the variance (divided by the count) of the weights of an output, as timm's StdConv2d:
///   to = gain · factor · (weight - mean) / sqrt(variance + epsilon)
/// timm's ScaledStdConv2d (Brock et al. 2021, arXiv 2101.08692) has a gain per output and
/// scaled_standardisation(fan_in).
template <class A>
struct weight_standardisation {
  real epsilon = 1e-6;           ///< finite and positive
  real factor = 1;               ///< finite
  std::span<const A> gain = {};  ///< one per output, or {} for 1
};

/// Returns gamma / sqrt(fan_in), the factor that keeps the variance of signals: gamma is that of the activation.
inline double scaled_standardisation(integer fan_in, real gamma = 1) {
  detail::require(fan_in.value >= 1, "scaled_standardisation", "fan_in", fan_in.value, "at least 1");
  return gamma.value / std::sqrt(static_cast<double>(fan_in.value));
}

namespace detail {

/// Mean and 1 / sqrt(variance + epsilon) of a row, in double.
struct row_moments {
  double mean = 0, inverse = 0;

  template <class A>
  row_moments(A const* x, index n, double epsilon) noexcept {
    double m2 = 0;
    for (index i = 0; i < n; ++i) mean += static_cast<double>(x[i]);
    mean /= static_cast<double>(n);
    for (index i = 0; i < n; ++i) m2 += (static_cast<double>(x[i]) - mean) * (static_cast<double>(x[i]) - mean);
    inverse = 1 / std::sqrt(m2 / static_cast<double>(n) + epsilon);
  }
};

template <class A>
void require_standardisation(const char* function, matrix_view<const A> weight,
                             weight_standardisation<A> const& policy) {
  static_assert(std::is_floating_point_v<A>, "standardise_weights: weights are float or double");
  require_valid(weight, "weight", function);
  require_positive(function, "epsilon", policy.epsilon);
  require(finite(policy.factor), function, "factor", policy.factor.value, "finite");
  if (!policy.gain.empty() && static_cast<index>(policy.gain.size()) != weight.rows)
    fail("%s: gain has %zu numbers, weight has %jd rows", function, policy.gain.size(), std::intmax_t(weight.rows));
}
template <class A>
double factor_of(weight_standardisation<A> const& policy, index row) noexcept {
  return policy.factor * (policy.gain.empty() ? 1.0 : static_cast<double>(policy.gain[std::size_t(row)]));
}

}  // namespace detail

/// Writes standardised weights, outputs x the rest, to `to`, which may be weight (but the backward pass needs weight):
///
///     hone::standardise_weights<float>({.factor = hone::scaled_standardisation(9 * channels), .gain = gain}, w, to);
///
/// Sums are in double. The weights of an output of one number become 0. Throws hone::invalid_argument, and writes
/// nothing, if a shape does not fit, an option is out of range or memory overlaps otherwise.
template <class A>
void standardise_weights(weight_standardisation<A> const& policy, matrix_view<const std::type_identity_t<A>> weight,
                         matrix_view<std::type_identity_t<A>> to) {
  constexpr const char* function = "standardise_weights";
  detail::require_standardisation<A>(function, weight, policy);
  detail::require_like_planes(function, "to", to, "weight", weight);
  detail::require_same_or_apart(function, "to", detail::footprint_of(to), "weight", detail::footprint_of(weight));
  detail::require_apart(function, "to", detail::footprint_of(to), "gain", detail::footprint_of(policy.gain));
  for (index o = 0; o < weight.rows; ++o) {
    const detail::row_moments of(weight.row(o), weight.columns, policy.epsilon);
    const double by = detail::factor_of(policy, o) * of.inverse;
    for (index i = 0; i < weight.columns; ++i)
      to.row(o)[i] = detail::narrowed<A>((static_cast<double>(weight.row(o)[i]) - of.mean) * by);
  }
}

/// Writes the gradients of standardise_weights, from dto by its result. With u = (weight - mean) / sqrt(variance +
/// epsilon): dweight = gain · factor / sqrt(variance + epsilon) · (dto - mean(dto) - u mean(dto u)) and dgain = factor
/// Σ dto u. Either may be {}; dweight may be dto or weight. Throws as standardise_weights does.
template <class A>
void standardise_weights_backward(weight_standardisation<A> const& policy,
                                  matrix_view<const std::type_identity_t<A>> weight,
                                  matrix_view<const std::type_identity_t<A>> dto,
                                  matrix_view<std::type_identity_t<A>> dweight,
                                  std::type_identity_t<std::span<A>> dgain = {}) {
  constexpr const char* function = "standardise_weights_backward";
  detail::require_standardisation<A>(function, weight, policy);
  detail::require_like_planes(function, "dto", dto, "weight", weight);
  const detail::footprint of_dgain = detail::footprint_of(dgain), of_gain = detail::footprint_of(policy.gain);
  if (detail::given(dweight)) {
    detail::require_like_planes(function, "dweight", dweight, "weight", weight);
    const detail::footprint place = detail::footprint_of(dweight);
    detail::require_same_or_apart(function, "dweight", place, "weight", detail::footprint_of(weight));
    detail::require_same_or_apart(function, "dweight", place, "dto", detail::footprint_of(dto));
    detail::require_apart(function, "dweight", place, "gain", of_gain);
  }
  if (!dgain.empty()) {
    if (static_cast<index>(dgain.size()) != weight.rows)
      detail::fail("%s: dgain has %zu numbers, weight has %jd rows", function, dgain.size(),
                   std::intmax_t(weight.rows));
    detail::require_apart(function, "dgain", of_dgain, "weight", detail::footprint_of(weight));
    detail::require_apart(function, "dgain", of_dgain, "dto", detail::footprint_of(dto));
    detail::require_apart(function, "dgain", of_dgain, "dweight", detail::footprint_of(dweight));
    detail::require_same_or_apart(function, "dgain", of_dgain, "gain", of_gain);
  }
  const auto n = static_cast<double>(weight.columns);
  for (index o = 0; o < weight.rows; ++o) {
    const detail::row_moments of(weight.row(o), weight.columns, policy.epsilon);
    const double by = detail::factor_of(policy, o);
    const auto u = [&](index i) { return (static_cast<double>(weight.row(o)[i]) - of.mean) * of.inverse; };
    double total = 0, products = 0;
    for (index i = 0; i < weight.columns; ++i) {
      const auto g = static_cast<double>(dto.row(o)[i]);
      total += g, products += g * u(i);
    }
    if (detail::given(dweight))
      for (index i = 0; i < weight.columns; ++i) {
        const double g = static_cast<double>(dto.row(o)[i]) - total / n - u(i) * products / n;
        dweight.row(o)[i] = detail::narrowed<A>(by * of.inverse * g);
      }
    if (!dgain.empty()) dgain[std::size_t(o)] = detail::narrowed<A>(policy.factor * products);
  }
}

}  // namespace hone::inline HONE_ABI

#include <hone/core/macros_pop.hpp>
