// SPDX-License-Identifier: MIT
// wrong: evaluate: outputs are {.gradient = a view of
#include <hone/hone.cuh>

#include <span>

void gradient_as_vector(hone::cuda& gpu, hone::matrix_view<const float> z, std::span<float> gradient) {
#ifdef WRONG
  hone::evaluate(gpu, hone::z_loss(1), z, {.gradient = gradient}, hone::sum);
#else
  hone::evaluate(gpu, hone::z_loss(1), z, {.gradient = {gradient.data(), z.rows, z.columns}}, hone::sum);
#endif
}
