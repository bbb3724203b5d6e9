// SPDX-License-Identifier: MIT
// wrong: a comparison has one answer per lane: use select
#include <hone/hone.hpp>

struct sign_step {
  template <hone::operand V>
  HONE_HD void operator()(V& p, V const& g) const {
#ifdef WRONG
    if (g < V(0)) p += V(1);
#else
    p += select(g < V(0), V(1), V(0));
#endif
  }
};

void for_each_number_with_if(hone::cpu& cpu, hone::tensor_list<float> const& parameters,
                             hone::tensor_list<const float> const& gradients) {
  hone::for_each_number(cpu, sign_step(), parameters, gradients);
}
