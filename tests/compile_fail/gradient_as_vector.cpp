// SPDX-License-Identifier: MIT
// wrong: evaluate: outputs are {.gradient = a view of
#include <hone/hone.hpp>

#include <vector>

void gradient_as_vector(hone::cpu& cpu, hone::matrix_view<const float> z, std::vector<float>& gradient) {
#ifdef WRONG
  hone::evaluate(cpu, hone::z_loss(1), z, {.gradient = gradient}, hone::sum);
#else
  hone::evaluate(cpu, hone::z_loss(1), z, {.gradient = {gradient.data(), z.rows, z.columns}}, hone::sum);
#endif
}
