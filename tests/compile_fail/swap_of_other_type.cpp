// SPDX-License-Identifier: MIT
// wrong: swap: the parameters have the type of the state
#include <hone/hone.hpp>

void swap_of_other_type(hone::cpu& cpu, hone::ema_state<double>& shadow, hone::tensor_list<float> const& parameters) {
#ifdef WRONG
  hone::swap(cpu, shadow, parameters);
#else
  hone::copy(cpu, shadow, parameters);
#endif
}
