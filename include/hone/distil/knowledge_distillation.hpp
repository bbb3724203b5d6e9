// SPDX-License-Identifier: MIT
/// Labels and a teacher, combined as by Hinton et al.
#pragma once

#include <hone/distil/distillation.hpp>
#include <hone/loss/row/cross_entropy.hpp>

#include <hone/core/macros_push.hpp>

namespace hone::inline HONE_ABI {

struct knowledge_distillation_options {
  real alpha = 0.9;  ///< in [0, 1]: the teacher's part
};

/// (1-α) cross_entropy(target) + α distillation(teacher_logits, T), with any target (Hinton et al. 2015, arXiv
/// 1503.02531). Throws hone::invalid_argument if α is not in [0, 1], or T is not finite and positive.
template <class Target, class View>
auto knowledge_distillation(Target target, View teacher_logits, real temperature,
                            knowledge_distillation_options options = {}) {
  static_assert(row_target<Target>,
                "knowledge_distillation: the first argument must be a target: wrap labels in hone::classes, a matrix "
                "in hone::probabilities");
  const double alpha = options.alpha;
  detail::require(alpha >= 0 && alpha <= 1, "knowledge_distillation", "alpha", alpha, "in [0, 1]");
  detail::require_positive("knowledge_distillation", "temperature", temperature.value);
  return (1 - alpha) * cross_entropy(target) + alpha * distillation(teacher_logits, temperature);
}

}  // namespace hone::inline HONE_ABI

#include <hone/core/macros_pop.hpp>
