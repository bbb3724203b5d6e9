// SPDX-License-Identifier: MIT
// wrong: step: after the parameters come lists of states, and at last hone::averaged_in
#include <hone/hone.hpp>

struct sgd_rule {
  template <hone::operand V>
  HONE_HD void operator()(V const& g, V& p, V& m) const {
    p -= V(0.1) * (m = m + g);
  }
};

void step_of_pointer(hone::cpu& cpu, hone::tensor_list<float> const& gradients,
                     hone::tensor_list<float> const& parameters, float* momenta) {
#ifdef WRONG
  hone::step(cpu, hone::unscale(1), sgd_rule(), gradients, parameters, momenta);
#else
  hone::step(cpu, hone::unscale(1), sgd_rule(), gradients, parameters, hone::tensor_list<float>{{momenta, 1}});
#endif
}
