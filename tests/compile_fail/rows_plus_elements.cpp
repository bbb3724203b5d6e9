// SPDX-License-Identifier: MIT
// wrong: evaluate: a sum may hold row terms .*, element-wise terms .* or box losses .*, not two of these
#include <hone/hone.hpp>

#include <vector>

double rows_plus_elements(hone::cpu& cpu, const std::vector<int>& labels, hone::matrix_view<const float> logits) {
#ifdef WRONG
  return hone::evaluate(cpu, hone::z_loss(1e-4) + hone::binary_cross_entropy(hone::classes(labels)), logits);
#else
  return hone::evaluate(cpu, hone::z_loss(1e-4) + hone::cross_entropy(hone::classes(labels)), logits);
#endif
}
