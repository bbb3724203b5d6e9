// SPDX-License-Identifier: MIT
// wrong: chain: unscale must come before all clipping
#include <hone/hone.hpp>

auto unscale_after_clipping(hone::cpu const& cpu, hone::tensor_list<float> const& g) {
#ifdef WRONG
  return hone::transform(cpu, hone::chain(hone::clip_by_value(1), hone::unscale(2)), g);
#else
  return hone::transform(cpu, hone::chain(hone::unscale(2), hone::clip_by_value(1)), g);
#endif
}
