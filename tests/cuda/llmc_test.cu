// SPDX-License-Identifier: MIT
// The fused classifier of llm.c's CUDA trainers with hone's loss, which docs/ggml.md shows, against a plain loop.
#include <hone/hone.cuh>

#include <cuda/device.cuh>

#include <doctest/doctest.h>

#include <algorithm>
#include <cmath>
#include <span>
#include <vector>

namespace {

// [classifier]
/// Logits (B·T, Vp) on the device become dlogits in place, as in fused_classifier of llm.c; losses (B·T) are written.
template <class floatX>
void fused_classifier(hone::cuda& gpu, cudaStream_t stream, floatX* logits, float* losses, float dloss,
                      int const* targets, int B, int T, int V, int Vp) {
  const hone::index tokens = hone::index(B) * T;
  const std::span<const int> labels(targets, static_cast<std::size_t>(tokens));
  const hone::matrix_view<floatX> z{logits, tokens, V, Vp};
  const auto target = hone::smooth(hone::classes(labels, {.ignore = -1}), 0.1f);
  hone::evaluate(gpu, hone::cross_entropy(target) + hone::z_loss(1e-4f), z, {.gradient = z, .unreduced = losses},
                 hone::mean_over(1 / double(dloss)));
  const auto padding = std::size_t(Vp - V) * sizeof(floatX);
  cudaMemset2DAsync(logits + V, std::size_t(Vp) * sizeof(floatX), 0, padding, std::size_t(tokens), stream);
}
// [/classifier]

template <class T>
void check_classifier(double tolerance) {
  const int B = 2, steps = 3, V = 50, Vp = 64;
  std::vector<int> targets = {3, 49, -1, 7, 12, 0};
  std::vector<T> logits(std::size_t(B * steps * Vp));
  for (std::size_t i = 0; i < logits.size(); ++i) logits[i] = T(2 * std::sin(float(i) * 0.37f));
  device::buffer<T> z(logits);
  device::buffer<int> y(targets);
  device::buffer<float> losses(targets.size());
  device::stream stream;
  {
    hone::cuda gpu(stream);
    fused_classifier(gpu, stream, z.data(), losses.data(), 1.0f / 6, y.data(), B, steps, V, Vp);
    stream.wait();
  }
  const std::vector<T> found = z.host();
  const std::vector<float> found_losses = losses.host();
  double most = 0;
  for (std::size_t r = 0; r < targets.size(); ++r) {
    double sum = 0, mean = 0;
    for (int c = 0; c < V; ++c) {
      const double x = double(float(logits[r * std::size_t(Vp) + std::size_t(c)]));
      sum += std::exp(x), mean += x / V;
    }
    const double lse = std::log(sum);
    const bool ignored = targets[r] < 0;
    const double own = ignored ? 0 : double(float(logits[r * std::size_t(Vp) + std::size_t(targets[r])]));
    const double loss = ignored ? 0 : lse - 0.9 * own - 0.1 * mean + 1e-4 * lse * lse;
    CHECK(double(found_losses[r]) == doctest::Approx(loss).epsilon(1e-4));
    for (int c = 0; c < Vp; ++c) {
      const std::size_t i = r * std::size_t(Vp) + std::size_t(c);
      const double p = std::exp(double(float(logits[i])) - lse), q = (c == targets[r] ? 0.9 : 0) + 0.1 / V;
      const double expected = ignored || c >= V ? 0 : (p - q + 2e-4 * lse * p) / 6;
      most = std::max(most, std::abs(double(float(found[i])) - expected));
    }
  }
  CHECK(most < tolerance);
}

TEST_CASE("llm.c's classifier in float") { check_classifier<float>(1e-6); }
TEST_CASE("llm.c's classifier in bfloat16") { check_classifier<__nv_bfloat16>(1e-3); }

}  // namespace
