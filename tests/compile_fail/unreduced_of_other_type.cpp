// SPDX-License-Identifier: MIT
// wrong: evaluate: outputs are {.gradient = a view of
#include <hone/hone.hpp>

#include <vector>

void unreduced_of_other_type(hone::cpu& cpu, hone::matrix_view<const double> z, float* narrow, double* losses) {
#ifdef WRONG
  (void)losses;
  hone::evaluate(cpu, hone::z_loss(1), z, {.unreduced = narrow});
#else
  (void)narrow;
  hone::evaluate(cpu, hone::z_loss(1), z, {.unreduced = losses});
#endif
}
