// SPDX-License-Identifier: MIT
// What docs/ggml.md begins the section of llm.c with.
// [program]
#include <hone/hone.hpp>

#include <algorithm>
#include <cstdio>
#include <vector>

/// In train_gpt2.c: logits (B·T, Vp) become dlogits, in place of the softmax, the loss and its backward pass.
extern "C" double classifier(float* logits, float* losses, const int* targets, int B, int T, int V, int Vp) {
  const hone::matrix_view z{logits, hone::index(B) * T, V, Vp};  // rows of V numbers, Vp apart
  const std::vector<int> labels(targets, targets + B * T);
  const auto target = hone::smooth(hone::classes(labels, {.ignore = -1}), 0.1);
  const double loss = hone::evaluate(hone::cpu(), hone::cross_entropy(target) + hone::z_loss(1e-4), z,
                                     {.gradient = z, .unreduced = losses}, hone::batch_mean);
  for (int i = 0; i < B * T; ++i) std::fill(z.row(i) + V, z.row(i) + Vp, 0.0f);  // the padding has no gradient
  return loss;
}

int main() {  // stands in for train_gpt2.c
  const int B = 2, T = 2, V = 3, Vp = 4;
  std::vector<float> logits = {2, 0, -1, 9, 0.5f, 1, 3, 9, 0, 0, 0, 9, 1, 1, 1, 9}, losses(4);
  const std::vector<int> targets = {0, 2, 1, -1};  // the last token is ignored
  std::printf("loss %.4f\n", classifier(logits.data(), losses.data(), targets.data(), B, T, V, Vp));
  for (int i = 0; i < Vp; ++i) std::printf("%8.4f", static_cast<double>(logits[i]));
  std::puts("");
}
// [/program]
