// SPDX-License-Identifier: MIT
// wrong: update: the average is hone::ema, hone::swa or has average_step at
#include <hone/hone.hpp>

void update_by_number(hone::cpu& cpu, hone::ema_state<float>& shadow, hone::tensor_list<float> const& parameters) {
#ifdef WRONG
  hone::update(cpu, 0.999, shadow, parameters);
#else
  hone::update(cpu, hone::ema{.decay = 0.999}, shadow, parameters);
#endif
}
