// SPDX-License-Identifier: MIT
// What docs/matrices.md begins the section of DLPack with.
// [program]
#include <dlpack/dlpack.h>
#include <hone/adapt/dlpack.hpp>
#include <hone/hone.hpp>

#include <cstdint>
#include <cstdio>
#include <vector>

/// The gradient of smoothed cross-entropy by the logits: what a module for Python, Julia or JAX exports.
double loss_and_gradient(const DLTensor& logits, const DLTensor& labels, const DLTensor& gradient) {
  const auto y = hone::adapt::labels_of<std::int64_t>(labels);
  const auto objective = hone::cross_entropy(hone::smooth(hone::classes(y), 0.1));
  return hone::evaluate(hone::cpu(), objective, hone::adapt::rows_of<const float>(logits),
                        {.gradient = hone::adapt::rows_of<float>(gradient)});
}

int main() {  // stands in for the library that owns the tensors
  std::vector<float> z = {2, 0, -1, 0.5f, 1, 3}, g(6);
  std::vector<std::int64_t> y = {0, 2}, shape = {2, 3};
  const DLDevice host{kDLCPU, 0};
  const DLDataType float32{kDLFloat, 32, 1}, int64{kDLInt, 64, 1};
  const DLTensor logits{z.data(), host, 2, float32, shape.data(), nullptr, 0};
  const DLTensor gradient{g.data(), host, 2, float32, shape.data(), nullptr, 0};
  const DLTensor labels{y.data(), host, 1, int64, shape.data(), nullptr, 0};
  std::printf("loss %.4f\n", loss_and_gradient(logits, labels, gradient));
  for (float slope : g) std::printf("%8.4f", static_cast<double>(slope));
  std::puts("");
}
// [/program]
