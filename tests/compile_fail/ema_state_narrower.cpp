// SPDX-License-Identifier: MIT
// wrong: ema_state: a shadow is not narrower than its parameters
#include <hone/average/ema_state.hpp>

#ifdef WRONG
using number = float;
#else
using number = double;
#endif

hone::index ema_state_narrower(hone::tensor_list<const double> const& parameters) {
  return hone::ema_state<number>(parameters).steps();
}
