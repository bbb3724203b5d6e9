// SPDX-License-Identifier: MIT
// wrong: master_weights: a master is wider than its parameters
#include <hone/precision/master_weights.hpp>

#ifdef WRONG
using number = float;
#else
using number = double;
#endif

std::size_t master_weights_narrower(hone::tensor_list<const float> const& parameters) {
  return hone::master_weights<number>(parameters).tensors().size();
}
