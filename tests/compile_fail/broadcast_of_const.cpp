// SPDX-License-Identifier: MIT
// wrong: broadcast: the tensors are written
#include <hone/hone.hpp>

void broadcast_of_const(hone::tensor_list<float> const& parameters, hone::tensor_list<float const> const& read_only) {
  hone::broadcast(hone::self(), parameters);
#ifdef WRONG
  hone::broadcast(hone::self(), read_only);
#else
  static_cast<void>(read_only);
#endif
}
