// SPDX-License-Identifier: MIT
// wrong: rounded_by: the parameters are a list of tensors
#include <hone/hone.hpp>

void rounded_by_of_pointer(hone::tensor_list<float> const& gradients, Eigen::bfloat16* weight) {
  const auto sgd = []<hone::operand V>(V const& g, V& p) { p -= g; };
  const hone::tensor_list<Eigen::bfloat16> parameters{{weight, 12}};
#ifdef WRONG
  hone::step(hone::cpu(1), hone::unscale(1), sgd, gradients, hone::rounded_by({.seed = 1}, weight));
#else
  hone::step(hone::cpu(1), hone::unscale(1), sgd, gradients, hone::rounded_by({.seed = 1}, parameters));
#endif
}
