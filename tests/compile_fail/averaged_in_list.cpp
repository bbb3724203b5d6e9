// SPDX-License-Identifier: MIT
// wrong: averaged_in: the state is a hone::ema_state, or a hone::device_ema_state on CUDA
#include <hone/hone.hpp>

struct sgd_rule {
  template <hone::operand V>
  HONE_HD void operator()(V const& g, V& p) const {
    p -= V(0.1) * g;
  }
};

void averaged_in_list(hone::cpu& cpu, hone::tensor_list<float> const& gradients,
                      hone::tensor_list<float> const& parameters, hone::ema_state<float>& shadow) {
#ifdef WRONG
  hone::tensor_list<float> averages = shadow.tensors();
#else
  hone::ema_state<float>& averages = shadow;
#endif
  hone::step(cpu, hone::unscale(1), sgd_rule(), gradients, parameters, hone::averaged_in(hone::ema(), averages));
}
