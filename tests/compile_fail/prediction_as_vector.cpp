// SPDX-License-Identifier: MIT
// wrong: evaluate: the prediction must be a hone::matrix_view or hone::image_view
#include <hone/hone.hpp>

#include <vector>

void prediction_as_vector(hone::cpu& cpu, const std::vector<float>& z) {
#ifdef WRONG
  hone::evaluate(cpu, hone::z_loss(1), z);
#else
  hone::evaluate(cpu, hone::z_loss(1), hone::matrix_view{z.data(), z.size() / 4, 4}, {});
#endif
}
