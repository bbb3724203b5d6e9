// SPDX-License-Identifier: MIT
/// Clips gradients by the norm of each tensor or of all tensors together.
#pragma once

#include <hone/gradient/step.hpp>

#include <hone/core/macros_push.hpp>

namespace hone::inline HONE_ABI {

struct clip_by_norm_step {
  static constexpr step_kind kind = step_kind::tensor_norm;

  double max, p;
};
struct clip_by_global_norm_step {
  static constexpr step_kind kind = step_kind::global_norm;

  double max, p;
};

/// Multiplies each tensor g by min(1, max / ‖g‖), max >= 0. Throws hone::invalid_argument if max or p is out of range.
///   .p  the order of the norm (Σ |g|^p)^(1/p): 1, 2 or infinity
inline clip_by_norm_step clip_by_norm(real max, norm_options options = {}) {
  return {detail::require_max("clip_by_norm", "max", max), detail::require_p("clip_by_norm", options.p)};
}

/// Multiplies all gradients by min(1, max / ‖all gradients‖), max >= 0, which keeps their direction. Nothing is added
/// to the norm, unlike in PyTorch: min(1, max / (norm + 1e-6)). Throws as clip_by_norm does.
///   .p  as in clip_by_norm
/// Source: Pascanu et al., On the difficulty of training recurrent neural networks, 2013, arXiv 1211.5063, section 3.2.
inline clip_by_global_norm_step clip_by_global_norm(real max, norm_options options = {}) {
  return {detail::require_max("clip_by_global_norm", "max", max), detail::require_p("clip_by_global_norm", options.p)};
}
static_assert(gradient_step<clip_by_norm_step> && gradient_step<clip_by_global_norm_step>);

}  // namespace hone::inline HONE_ABI

#include <hone/core/macros_pop.hpp>
