// SPDX-License-Identifier: MIT
// wrong: for_each_number: f must take a reference to a number of each list
#include <hone/hone.hpp>

struct add_step {
#ifdef WRONG
  HONE_HD void operator()(float& p, float& g) const { p += g; }
#else
  HONE_HD void operator()(float& p, float const& g) const { p += g; }
#endif
};

void for_each_number_of_const(hone::cpu& cpu, hone::tensor_list<float> const& parameters,
                              hone::tensor_list<const float> const& gradients) {
  hone::for_each_number(cpu, add_step(), parameters, gradients);
}
