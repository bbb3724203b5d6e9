// SPDX-License-Identifier: MIT
/// The classifier of llm.c, with the loss of hone: in place of crossentropy_forward and crossentropy_softmax_backward
/// of train_gpt2.c, and of softmax_forward, whose probabilities nothing else reads.
#pragma once

#include <hone/hone.hpp>

#include <algorithm>
#include <span>

namespace example {

// [classifier]
/// logits (B·T, Vp), of which the first V are classes, become dlogits in place; losses (B·T) are written, and the mean
/// is returned. A target of -1 is ignored. dloss is what each token counts: 1 / (B·T · steps of accumulation).
inline double classifier(hone::cpu const& cpu, float* logits, float* losses, int const* targets, int B, int T, int V,
                         int Vp, float dloss) {
  const hone::index tokens = hone::index(B) * T;
  const std::span labels(targets, static_cast<std::size_t>(tokens));
  const hone::matrix_view z{logits, tokens, V, Vp};  // rows of V numbers, Vp apart
  const auto target = hone::smooth(hone::classes(labels, {.ignore = -1}), 0.1f);
  const auto objective = hone::cross_entropy(target) + hone::z_loss(1e-4f);
  const double loss =
      hone::evaluate(cpu, objective, z, {.gradient = z, .unreduced = losses}, hone::mean_over(1 / double(dloss)));
  for (hone::index i = 0; i < tokens; ++i) std::fill_n(z.row(i) + V, Vp - V, 0.0f);  // the padding has no gradient
  return loss;
}
// [/classifier]

}  // namespace example
