// SPDX-License-Identifier: MIT
// wrong: evaluate: the prediction must be a hone::matrix_view or hone::image_view
#include <hone/hone.cuh>

#include <span>

void prediction_as_vector(hone::cuda& gpu, std::span<const float> z) {
#ifdef WRONG
  hone::evaluate(gpu, hone::z_loss(1), z);
#else
  hone::evaluate(gpu, hone::z_loss(1), hone::matrix_view{z.data(), z.size() / 4, 4}, hone::sum);
#endif
}
