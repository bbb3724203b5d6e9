// SPDX-License-Identifier: MIT
// wrong: chain: every argument must be a step: unscale, clip_by_value, clip_by_norm, clip_by_global_norm
#include <hone/hone.hpp>

auto chain_of_number(hone::cpu const& cpu, hone::tensor_list<float> const& g) {
#ifdef WRONG
  return hone::transform(cpu, hone::chain(hone::unscale(2), 1.0), g);
#else
  return hone::transform(cpu, hone::chain(hone::unscale(2), hone::clip_by_value(1)), g);
#endif
}
