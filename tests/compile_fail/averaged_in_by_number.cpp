// SPDX-License-Identifier: MIT
// wrong: averaged_in: the average is hone::ema, hone::swa or has average_step at
#include <hone/hone.hpp>

struct sgd_rule {
  template <hone::operand V>
  HONE_HD void operator()(V const& g, V& p) const {
    p -= V(0.1) * g;
  }
};

void averaged_in_by_number(hone::cpu& cpu, hone::tensor_list<float> const& gradients,
                           hone::tensor_list<float> const& parameters, hone::ema_state<float>& shadow) {
#ifdef WRONG
  const double average = 0.999;
#else
  const hone::ema average{.decay = 0.999};
#endif
  hone::step(cpu, hone::unscale(1), sgd_rule(), gradients, parameters, hone::averaged_in(average, shadow));
}
