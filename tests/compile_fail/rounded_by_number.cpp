// SPDX-License-Identifier: MIT
// wrong: rounded_by: the rounding is a hone::stochastic_rounding
#include <hone/hone.hpp>

void rounded_by_number(hone::tensor_list<float> const& gradients,
                       hone::tensor_list<Eigen::bfloat16> const& parameters) {
  const auto sgd = []<hone::operand V>(V const& g, V& p) { p -= g; };
#ifdef WRONG
  hone::step(hone::cpu(1), hone::unscale(1), sgd, gradients, hone::rounded_by(1, parameters));
#else
  hone::step(hone::cpu(1), hone::unscale(1), sgd, gradients, hone::rounded_by({.seed = 1}, parameters));
#endif
}
