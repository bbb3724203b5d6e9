// SPDX-License-Identifier: MIT
// wrong: lovasz_softmax_loss: its rows cannot be weighed by weigh_rows
#include <hone/hone.hpp>

#include <vector>

double weigh_rows_of_lovasz(const hone::cpu& cpu, const std::vector<int>& labels, const std::vector<float>& weights,
                            hone::matrix_view<const float> logits) {
#ifdef WRONG
  return hone::evaluate(cpu, hone::weigh_rows(hone::lovasz_softmax_loss(hone::classes(labels)), weights), logits);
#else
  return hone::evaluate(cpu, hone::weigh_rows(hone::dice_loss(hone::classes(labels)), weights), logits);
#endif
}
