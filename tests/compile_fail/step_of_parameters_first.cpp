// SPDX-License-Identifier: MIT
// wrong: step: the update must take a gradient, then a reference to a number of the parameters
#include <hone/hone.hpp>

struct sgd_rule {
#ifdef WRONG
  HONE_HD void operator()(float& p, float const& g) const { p -= 0.1f * g; }
#else
  HONE_HD void operator()(float const& g, float& p) const { p -= 0.1f * g; }
#endif
};

void step_of_parameters_first(hone::cpu& cpu, hone::tensor_list<float> const& gradients,
                              hone::tensor_list<float> const& parameters) {
  hone::step(cpu, hone::clip_by_global_norm(1), sgd_rule(), gradients, parameters);
}
