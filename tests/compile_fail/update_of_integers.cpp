// SPDX-License-Identifier: MIT
// wrong: update: parameters are float, double, or a 16-bit floating-point type
#include <hone/hone.hpp>

void update_of_integers(hone::cpu& cpu, hone::ema_state<float>& shadow, hone::tensor_list<int> const& counters,
                        hone::tensor_list<int> const& averaged) {
#ifdef WRONG
  hone::update(cpu, hone::ema{}, shadow, counters);
#endif
  hone::copy(cpu, counters, averaged);
  (void)shadow;
}
