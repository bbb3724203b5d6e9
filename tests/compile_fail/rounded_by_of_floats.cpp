// SPDX-License-Identifier: MIT
// wrong: rounded_by: a parameter of float or double is stored as it is computed; only parameters of 16 bits are rounded
#include <hone/hone.hpp>

#ifdef WRONG
using number = float;
#else
using number = Eigen::bfloat16;
#endif

void rounded_by_of_floats(hone::tensor_list<float> const& gradients, hone::tensor_list<number> const& parameters) {
  const auto sgd = []<hone::operand V>(V const& g, V& p) { p -= g; };
  hone::step(hone::cpu(1), hone::unscale(1), sgd, gradients, hone::rounded_by({.seed = 1}, parameters));
}
