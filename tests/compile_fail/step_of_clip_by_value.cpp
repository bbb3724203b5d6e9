// SPDX-License-Identifier: MIT
// wrong: step: only unscale and clip_by_global_norm are one factor for all gradients
#include <hone/hone.hpp>

struct sgd_rule {
  template <hone::operand V>
  HONE_HD void operator()(V const& g, V& p) const {
    p -= V(0.1) * g;
  }
};

void step_of_clip_by_value(hone::cpu& cpu, hone::tensor_list<float> const& gradients,
                           hone::tensor_list<float> const& parameters) {
#ifdef WRONG
  const auto clip = hone::clip_by_value(1);
#else
  const auto clip = hone::clip_by_global_norm(1);
#endif
  hone::step(cpu, clip, sgd_rule(), gradients, parameters);
}
