// SPDX-License-Identifier: MIT
// wrong: hone::adapt: this argument must be an objective, such as hone::cross_entropy
#include <hone/adapt/torch.hpp>
#include <hone/loss.hpp>

auto loss(hone::cpu const& cpu, at::Tensor const& y, at::Tensor const& z) {
#ifdef WRONG
  return hone::adapt::loss(cpu, hone::classes(hone::adapt::labels_of(y)), z);
#else
  return hone::adapt::loss(cpu, hone::cross_entropy(hone::classes(hone::adapt::labels_of(y))), z);
#endif
}
