// SPDX-License-Identifier: MIT
/// Gradients of a scaled loss, brought back to size.
#pragma once

#include <hone/gradient/step.hpp>

namespace hone {

struct unscale_step : gradient_step_base {
  static constexpr step_kind kind = step_kind::unscale;

  double scale;
};

/// g / scale, as the first step of a chain: `scale` is what the loss was multiplied with, above 0 and finite, such as
/// that of a hone::loss_scaler. Powers of two change no digit of a normal number.
///
///     auto report = hone::transform(cpu, hone::chain(hone::unscale(scaler.scale()), hone::clip_by_global_norm(1)), g);
///
/// Source: Micikevicius et al., Mixed Precision Training, 2018, arXiv 1710.03740, section 3.2.
inline unscale_step unscale(real scale) {
  detail::require(scale > 0 && detail::finite(scale), "unscale", "scale", scale, "above 0 and finite");
  return {{}, scale};
}
static_assert(gradient_step<unscale_step>);

}  // namespace hone
