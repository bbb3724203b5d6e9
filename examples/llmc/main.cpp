// SPDX-License-Identifier: MIT
/// A training step with the shapes of llm.c's train_gpt2.c, by hone and by plain loops.
#include "classifier.hpp"

#include <cmath>
#include <cstdio>
#include <vector>

namespace {

int wrong = 0;

void expect(bool ok, char const* what) {
  if (ok) return;
  std::printf("wrong: %s\n", what);
  ++wrong;
}

/// crossentropy_forward and crossentropy_softmax_backward of llm.c on softmax_forward's probabilities, in double, with
/// smoothed labels and a z-loss: dlogits of the padding are 0, as in llm.c.
struct plain_loop {
  std::vector<double> losses, dlogits;

  plain_loop(std::vector<float> const& logits, std::vector<int> const& targets, int V, int Vp, double dloss,
             double epsilon, double z_loss)
      : losses(targets.size()), dlogits(logits.size()) {
    for (std::size_t bt = 0; bt < targets.size(); ++bt) {
      if (targets[bt] < 0) continue;
      float const* z = logits.data() + bt * std::size_t(Vp);
      double sum = 0;
      for (int i = 0; i < V; ++i) sum += std::exp(double(z[i]));
      const double lse = std::log(sum);
      losses[bt] = z_loss * lse * lse;
      for (int i = 0; i < V; ++i) {
        const double p = std::exp(double(z[i]) - lse), q = (i == targets[bt] ? 1 - epsilon : 0) + epsilon / V;
        losses[bt] -= q * (double(z[i]) - lse);
        dlogits[bt * std::size_t(Vp) + std::size_t(i)] = (p - q + 2 * z_loss * lse * p) * dloss;
      }
    }
  }
};

}  // namespace

int main() {
  const int B = 2, T = 5, V = 50, Vp = 64;
  std::vector<float> logits(std::size_t(B * T * Vp)), losses(std::size_t(B * T));
  for (std::size_t i = 0; i < logits.size(); ++i) logits[i] = 3 * std::sin(float(i) * 0.37f);  // the padding too
  std::vector<int> targets = {3, 49, 0, -1, 7, 12, 12, 31, -1, 5};
  const float dloss = 1.0f / float(B * T);
  const plain_loop expected(logits, targets, V, Vp, double(dloss), 0.1, 1e-4);

  std::vector<float> other_padding = logits;
  for (int bt = 0; bt < B * T; ++bt) other_padding[std::size_t(bt * Vp + V)] = NAN;  // is not read
  const hone::cpu cpu;
  const double loss = example::classifier(cpu, logits.data(), losses.data(), targets.data(), B, T, V, Vp, dloss);
  double total = 0, most = 0;
  for (std::size_t i = 0; i < losses.size(); ++i) {
    total += expected.losses[i] * double(dloss);
    most = std::max(most, std::abs(double(losses[i]) - expected.losses[i]));
  }
  expect(std::abs(loss - total) < 1e-6, "the mean loss");
  expect(most < 1e-5, "the losses of tokens");
  most = 0;
  for (std::size_t i = 0; i < logits.size(); ++i)
    most = std::max(most, std::abs(double(logits[i]) - expected.dlogits[i]));
  expect(most < 1e-7, "dlogits");
  bool zero = true;
  for (int bt = 0; bt < B * T; ++bt)
    for (int i = V; i < Vp; ++i) zero = zero && logits[std::size_t(bt * Vp + i)] == 0;
  expect(zero, "dlogits of the padding are 0");

  const double same = example::classifier(cpu, other_padding.data(), losses.data(), targets.data(), B, T, V, Vp, dloss);
  expect(same == loss && other_padding == logits, "the padding is not read");

  targets[4] = V;  // a class of the padding
  try {
    example::classifier(cpu, logits.data(), losses.data(), targets.data(), B, T, V, Vp, dloss);
    expect(false, "a target in the padding is an error");
  } catch (hone::invalid_argument const& error) {
    expect(std::string(error.what()) == "evaluate: the label of row 4 is 50, must be in [0, 50)", error.what());
  }
  if (wrong == 0) std::printf("as in plain loops: loss %.6f\n", loss);
  return wrong;
}
