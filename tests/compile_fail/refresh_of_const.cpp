// SPDX-License-Identifier: MIT
// wrong: refresh: the parameters are written, their type is const
#include <hone/hone.hpp>

#ifdef WRONG
using number = const Eigen::bfloat16;
#else
using number = Eigen::bfloat16;
#endif

void refresh_of_const(hone::master_weights<float> const& masters, hone::tensor_list<number> const& parameters) {
  hone::refresh(hone::cpu(1), masters, parameters);
}
