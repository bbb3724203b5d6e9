// SPDX-License-Identifier: MIT
// wrong: evaluate: a prediction holds float, double, or a 16-bit floating-point type
#include <hone/hone.hpp>

#ifdef WRONG
using number = int;
#else
using number = float;
#endif

double integer_prediction(hone::cpu& cpu, const number* logits) {
  return hone::evaluate(cpu, hone::z_loss(1e-4), hone::matrix_view{logits, 8, 10});
}
