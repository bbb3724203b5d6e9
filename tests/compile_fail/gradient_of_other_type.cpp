// SPDX-License-Identifier: MIT
// wrong: evaluate: outputs are {.gradient = a view of
#include <hone/hone.hpp>

#include <vector>

void gradient_of_other_type(hone::cpu& cpu, hone::matrix_view<float> z, hone::matrix_view<double> wide,
                            hone::matrix_view<float> gradient) {
#ifdef WRONG
  (void)gradient;
  hone::evaluate(cpu, hone::z_loss(1), z, {.gradient = wide});
#else
  (void)wide;
  hone::evaluate(cpu, hone::z_loss(1), z, {.gradient = gradient});
#endif
}
