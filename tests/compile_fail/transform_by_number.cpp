// SPDX-License-Identifier: MIT
// wrong: transform: the step must be unscale, clip_by_value, clip_by_norm, clip_by_global_norm, adaptive_clip
#include <hone/hone.hpp>

auto transform_by_number(hone::cpu const& cpu, hone::tensor_list<float> const& g) {
#ifdef WRONG
  return hone::transform(cpu, 2.0, g);
#else
  return hone::transform(cpu, hone::unscale(2.0), g);
#endif
}
