// SPDX-License-Identifier: MIT
// wrong: master_weights: the parameters are floating-point numbers
#include <hone/hone.hpp>

#ifdef WRONG
using number = short;
#else
using number = Eigen::half;
#endif

std::size_t master_weights_of_integers(hone::tensor_list<const number> const& parameters) {
  return hone::master_weights<float>(parameters).tensors().size();
}
