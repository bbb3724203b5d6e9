// SPDX-License-Identifier: MIT
// wrong: evaluate: a hone::device_scalar is read on a device
#include <hone/cuda/memory/device_scalar.cuh>
#include <hone/hone.hpp>

#include <vector>

double device_scalar_on_cpu(const std::vector<int>& labels, hone::matrix_view<const float> logits,
                            [[maybe_unused]] const float* factor) {
  const hone::cpu cpu;
  const auto loss = hone::cross_entropy(hone::classes(labels));
#ifdef WRONG
  return hone::evaluate(cpu, loss + hone::device_scalar(factor) * loss, logits);
#else
  return hone::evaluate(cpu, loss + 2 * loss, logits);
#endif
}
