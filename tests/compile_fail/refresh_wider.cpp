// SPDX-License-Identifier: MIT
// wrong: refresh: the parameters are floating-point numbers narrower than their masters
#include <hone/hone.hpp>

#ifdef WRONG
using number = float;
#else
using number = Eigen::bfloat16;
#endif

void refresh_wider(hone::master_weights<float> const& masters, hone::tensor_list<number> const& parameters) {
  hone::refresh(hone::cpu(1), masters, parameters);
}
