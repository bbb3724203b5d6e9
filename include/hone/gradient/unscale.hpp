// SPDX-License-Identifier: MIT
/// Divides the gradients of a scaled loss by the scale.
#pragma once

#include <hone/gradient/loss_scaler.hpp>
#include <hone/gradient/step.hpp>

#include <concepts>
#include <type_traits>

#include <hone/core/macros_push.hpp>

namespace hone::inline HONE_ABI {

struct unscale_step {
  static constexpr step_kind kind = step_kind::unscale;

  double scale;
};

/// Divides by `scale`, the factor of the loss; must be first in a chain. Powers of two change no digit of a normal
/// number. Throws hone::invalid_argument unless scale is finite and above 0. For a loss_scaler see below.
///
///     auto report = hone::transform(cpu, hone::chain(hone::unscale(1024), hone::clip_by_global_norm(1)), g);
///
/// Source: Micikevicius et al., Mixed Precision Training, 2018, arXiv 1710.03740, section 3.2.
inline unscale_step unscale(real scale) {
  detail::require(scale > 0 && detail::finite(scale), "unscale", "scale", scale, "above 0 and finite");
  return {scale};
}

struct scaler_unscale_step {
  static constexpr step_kind kind = step_kind::unscale;

  loss_scaler const* scaler;
};

/// Divides by the scale that a hone::loss_scaler has when the gradients are transformed, so that a chain can be built
/// once, before the loop; the number scaler.scale() would not follow later changes. The scaler is viewed.
///
///     const auto chain = hone::chain(hone::unscale(scaler), hone::clip_by_global_norm(1));
template <class Scaler>
  requires std::same_as<std::remove_cvref_t<Scaler>, loss_scaler>
scaler_unscale_step unscale(Scaler&& scaler) {
  static_assert(std::is_lvalue_reference_v<Scaler>,
                "unscale: the loss_scaler is viewed, not copied: give it a name first");
  return {&scaler};
}
static_assert(gradient_step<unscale_step> && gradient_step<scaler_unscale_step>);

}  // namespace hone::inline HONE_ABI

#include <hone/core/macros_pop.hpp>
