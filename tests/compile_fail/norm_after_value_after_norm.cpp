// SPDX-License-Identifier: MIT
// wrong: chain: no clipping by a norm may follow a clip_by_value that itself follows one
#include <hone/hone.hpp>

auto norm_after_value_after_norm(hone::cpu const& cpu, hone::tensor_list<float> const& g) {
#ifdef WRONG
  return hone::transform(cpu, hone::chain(hone::clip_by_norm(1), hone::clip_by_value(1), hone::clip_by_global_norm(1)),
                         g);
#else
  return hone::transform(cpu, hone::chain(hone::clip_by_norm(1), hone::clip_by_global_norm(1), hone::clip_by_value(1)),
                         g);
#endif
}
