// SPDX-License-Identifier: MIT
// wrong: transform: over ranks a chain has clip_by_norm or adaptive_clip, not both: transform twice
#include <hone/hone.hpp>

void clips_of_units_over_ranks(hone::sharded_list<float> const& gradients, hone::tensor_list<float> const& parameters) {
  const hone::cpu cpu;
#ifdef WRONG
  hone::transform(cpu, hone::chain(hone::clip_by_norm(1), hone::adaptive_clip(parameters)), gradients, hone::self());
#else
  hone::transform(cpu, hone::adaptive_clip(parameters), gradients, hone::self());
#endif
}
