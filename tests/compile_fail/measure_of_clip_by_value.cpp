// SPDX-License-Identifier: MIT
// wrong: measure: only unscale and clip_by_global_norm are one factor for all gradients
#include <hone/hone.hpp>

auto measure_of_clip_by_value(hone::cpu const& cpu, hone::tensor_list<float> const& g) {
#ifdef WRONG
  return hone::measure(cpu, hone::clip_by_value(1), g);
#else
  return hone::measure(cpu, hone::clip_by_global_norm(1), g);
#endif
}
