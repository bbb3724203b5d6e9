// SPDX-License-Identifier: MIT
// wrong: transform: several lists have unscale, clip_by_value and clip_by_global_norm in common
#include <hone/hone.hpp>

#include <tuple>

void clip_by_norm_of_lists_over_ranks(hone::sharded_list<float> const& a, hone::sharded_list<double> const& b) {
  const hone::cpu cpu;
#ifdef WRONG
  hone::transform(cpu, hone::clip_by_norm(1), std::tie(a, b), hone::self());
#else
  hone::transform(cpu, hone::clip_by_global_norm(1), std::tie(a, b), hone::self());
#endif
}
