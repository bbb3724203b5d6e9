// SPDX-License-Identifier: MIT
/// Stochastic rounding of narrow parameters.
#pragma once

#include <hone/core/error.hpp>
#include <hone/core/tensor_list.hpp>
#include <hone/precision/round_number.hpp>

#include <cstddef>

#include <hone/core/macros_push.hpp>

namespace hone::inline HONE_ABI {

/// Rounds what an optimiser computes to a narrower type at random: up with the probability of the distance from the
/// lower neighbour, in units of the neighbours' distance, and else down. So updates below half that distance are not
/// lost on average (Gupta et al. 2015, arXiv 1502.02551; for bfloat16 Zamirai et al. 2020, arXiv 2010.06192). The
/// random bits are a pure function of seed, step, the tensor's number and the number's place in the whole tensor: there
/// is no state to save, any number of threads and ranks and both backends round alike, replicas stay equal, and a
/// resume rounds as the run did.
///
///     hone::refresh(cpu, masters, parameters, hone::stochastic_rounding{.seed = 1, .step = step});
///     hone::step(cpu, clip, sgd, gradients, hone::rounded_by({.seed = 1, .step = step}, parameters), momenta);
///
/// A number of the narrower type stays as it is, and so do infinities; NaN stays a NaN, a finite number stays finite:
/// beyond the largest number it becomes that. Probabilities are multiples of 2^-32, rounded down: exact where a float
/// is rounded to bfloat16 or to a normal half, and a double to a normal float. The same seed on all ranks: ranks hold
/// parts or copies of one model.
struct stochastic_rounding {
  integer seed = 0;
  integer step = 0;          ///< of the training: a number that no other rounding of these tensors has
  integer first_tensor = 0;  ///< the number of the list's first tensor, if a model is several lists; in [0, 2^32)
};

/// Parameters that a step rounds stochastically. They are viewed.
template <class Rounding, class List>
struct rounded_list {
  Rounding rounding;
  List const* parameters;
};

/// In place of the parameters of hone::step: the update computes in float from the stored numbers, and the result is
/// rounded once, by `rounding`, to 16 bits. Its other lists are rounded to the nearest number. An average of
/// hone::averaged_in takes the parameters as they are stored.
template <class Rounding = stochastic_rounding, class List>
rounded_list<Rounding, List> rounded_by(Rounding const& rounding, List const& parameters) {
  static_assert(
      requires { rounding.seed, rounding.step, rounding.first_tensor; },
      "rounded_by: the rounding is a hone::stochastic_rounding, or a hone::device_stochastic_rounding on CUDA");
  static_assert(
      requires { parameters.size(); } || requires { parameters.tensors(); },
      "rounded_by: the parameters are a list of tensors");
  return {rounding, &parameters};
}

namespace detail {

template <class Rounding>
void require_rounding(const char* function, Rounding const& rounding) {
  const index first = rounding.first_tensor;
  require(first >= 0 && first < index(1) << 32, function, "first_tensor", first, "in [0, 2^32)");
}

/// Returns the random bits of a tensor of a list.
inline rounding_bits bits_of(stochastic_rounding const& rounding, std::size_t tensor) noexcept {
  return {rounding.seed, rounding.step, static_cast<std::uint64_t>(rounding.first_tensor.value) + tensor};
}

/// Fails at compile time unless what is computed for a number of P has more digits than P.
template <class P>
constexpr void require_rounded_parameters() {
  static_assert(
      sizeof(P) == 2,
      "rounded_by: a parameter of float or double is stored as it is computed; only parameters of 16 bits are "
      "rounded");
}

}  // namespace detail
}  // namespace hone::inline HONE_ABI

#include <hone/core/macros_pop.hpp>
