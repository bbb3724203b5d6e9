// SPDX-License-Identifier: MIT
// wrong: transform: the gradients must not be const
#include <hone/hone.hpp>

auto transform_of_const(hone::cpu const& cpu, hone::tensor_list<float> const& g) {
#ifdef WRONG
  return hone::transform(cpu, hone::unscale(2), hone::tensor_list<const float>(g));
#else
  return hone::transform(cpu, hone::unscale(2), g);
#endif
}
