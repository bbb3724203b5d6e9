// SPDX-License-Identifier: MIT
// wrong: evaluate: a sum may hold row terms .*, element-wise terms .* or box losses .*, not two of these
#include <hone/hone.cuh>

#include <span>

void rows_plus_elements(hone::cuda& gpu, std::span<const int> labels, hone::matrix_view<const float> logits,
                        const float* factor) {
#ifdef WRONG
  const auto loss = hone::binary_cross_entropy(hone::classes(labels));
#else
  const auto loss = hone::cross_entropy(hone::classes(labels));
#endif
  hone::evaluate(gpu, hone::z_loss(1e-4) + hone::device_scalar(factor) * loss, logits, {});
}
