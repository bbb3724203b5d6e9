// SPDX-License-Identifier: MIT
// wrong: ema_state: the parameters are floating-point numbers; hone::copy takes integers along
#include <hone/average/ema_state.hpp>

#ifdef WRONG
using number = int;
#else
using number = float;
#endif

hone::index ema_state_of_integers(hone::tensor_list<const number> const& parameters) {
  return hone::ema_state<float>(parameters).steps();
}
