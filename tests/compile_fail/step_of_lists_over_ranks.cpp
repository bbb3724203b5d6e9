// SPDX-License-Identifier: MIT
// wrong: step: the gradients must be one list: a hone::sharded_list or hone::tensor_list
#include <hone/hone.hpp>

#include <tuple>

void step_of_lists_over_ranks(hone::sharded_list<float> const& a, hone::sharded_list<float> const& b,
                              hone::tensor_list<float> const& parameters) {
  const hone::cpu cpu;
  const auto sgd = [](auto const& g, auto& p) { p -= g; };
#ifdef WRONG
  hone::step(cpu, hone::clip_by_global_norm(1), sgd, std::tie(a, b), hone::self(), parameters);
#else
  hone::transform(cpu, hone::clip_by_global_norm(1), std::tie(a, b), hone::self());
  hone::step(cpu, hone::clip_by_global_norm(1), sgd, a, hone::self(), parameters);
#endif
}
