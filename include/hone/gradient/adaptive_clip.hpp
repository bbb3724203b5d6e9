// SPDX-License-Identifier: MIT
/// Adaptive gradient clipping: limits the gradient norm of each unit to a fraction of the norm of its weights.
#pragma once

#include <hone/core/tensor_list.hpp>
#include <hone/gradient/step.hpp>

#include <vector>

#include <hone/core/macros_push.hpp>

namespace hone::inline HONE_ABI {

/// The units of a tensor that has a shape. A unit holds the weights of one output.
///   rows     of out × in weights, as PyTorch and most C++ trainers store them (timm: all dimensions but the first)
///   columns  of in × out weights, as Keras and JAX store them (optax)
/// A tensor without a shape is one unit.
enum class agc_units : unsigned char { rows, columns };

struct adaptive_clip_options {
  real clipping = 0.01;  ///< λ, the largest ‖g‖ / ‖w‖ of a unit
  real epsilon = 1e-3;   ///< lower limit of ‖w‖, so that units whose weights are 0 can change
  agc_units units = agc_units::rows;
  std::vector<std::size_t> excluded = {};  ///< tensors that are not clipped, by their index in the list
};

namespace detail {

/// Returns the clip factor of a unit from its two norms. A weight norm of NaN counts as epsilon.
HONE_HD constexpr double adaptive_factor(double gradient, double weight, double clipping, double epsilon) noexcept {
  return clip_factor(gradient, clipping * (weight > epsilon ? weight : epsilon));
}

}  // namespace detail

template <class T>
struct adaptive_clip_step {
  static constexpr step_kind kind = step_kind::unit_norm;

  tensor_list<const T> parameters;
  double clipping, epsilon;
  agc_units units;
  std::vector<std::size_t> excluded;
};

/// Multiplies the gradient g of every unit w of the parameters by min(1, λ max(‖w‖, ε) / ‖g‖); λ, ε >= 0. There are as
/// many gradients as parameters, of the same sizes; the parameters' shapes define the units. NaN as ‖w‖ counts as ε.
/// The authors exclude the last linear layer. Throws hone::invalid_argument if an option is out of range.
/// Source: Brock et al., High-Performance Large-Scale Image Recognition Without Normalization, 2021, arXiv 2102.06171,
/// section 4.
template <class T>
adaptive_clip_step<std::remove_const_t<T>> adaptive_clip(tensor_list<T> const& parameters,
                                                         adaptive_clip_options options = {}) {
  detail::require_max("adaptive_clip", "clipping", options.clipping);
  detail::require_max("adaptive_clip", "epsilon", options.epsilon);
  detail::require_tensors("adaptive_clip", "parameters", parameters);
  for (const std::size_t i : options.excluded)
    if (i >= parameters.size()) detail::fail("adaptive_clip: excluded names tensor %zu of %zu", i, parameters.size());
  return {parameters, options.clipping, options.epsilon, options.units, std::move(options.excluded)};
}
static_assert(gradient_step<adaptive_clip_step<float>>);

}  // namespace hone::inline HONE_ABI

#include <hone/core/macros_pop.hpp>
