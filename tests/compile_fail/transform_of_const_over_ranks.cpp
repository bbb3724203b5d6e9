// SPDX-License-Identifier: MIT
// wrong: transform: the gradients must not be const, for they are changed in place
#include <hone/hone.hpp>

double transform_of_const_over_ranks(hone::sharded_list<float> const& gradients) {
  const hone::cpu cpu;
  const hone::sharded_list<float const> read_only = gradients;
#ifdef WRONG
  return hone::transform(cpu, hone::clip_by_global_norm(1), read_only, hone::self()).norm;
#else
  return hone::measure(cpu, hone::clip_by_global_norm(1), read_only, hone::self()).norm;
#endif
}
