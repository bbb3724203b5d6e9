// SPDX-License-Identifier: MIT
// wrong: transform: several lists have unscale, clip_by_value and clip_by_global_norm in common
#include <hone/hone.hpp>

auto clip_by_norm_of_lists(hone::cpu const& cpu, hone::tensor_list<float> const& a,
                           hone::tensor_list<double> const& b) {
#ifdef WRONG
  return hone::transform(cpu, hone::clip_by_norm(1), a, b);
#else
  return hone::transform(cpu, hone::clip_by_global_norm(1), a, b);
#endif
}
