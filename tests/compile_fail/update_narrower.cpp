// SPDX-License-Identifier: MIT
// wrong: update: a shadow is not narrower than its parameters
#include <hone/hone.hpp>

#ifdef WRONG
using number = double;
#else
using number = float;
#endif

void update_narrower(hone::cpu& cpu, hone::ema_state<float>& shadow, hone::tensor_list<number> const& parameters) {
  hone::update(cpu, hone::ema{}, shadow, parameters);
}
