// SPDX-License-Identifier: MIT
// wrong: chain: one adaptive_clip is all it takes
#include <hone/hone.hpp>

auto adaptive_clip_twice(hone::cpu const& cpu, hone::tensor_list<float> const& g, hone::tensor_list<float> const& w) {
  const auto clip = hone::adaptive_clip(w, {.units = hone::agc_units::columns});
#ifdef WRONG
  return hone::transform(cpu, hone::chain(clip, hone::adaptive_clip(w)), g);
#else
  return hone::transform(cpu, hone::chain(clip, hone::clip_by_global_norm(1)), g);
#endif
}
