// SPDX-License-Identifier: MIT
// wrong: ema_state: a shadow is float or double: narrower numbers stand still where the decay is near 1
#include <hone/average/ema_state.hpp>

struct half {
  short bits;
  explicit half(float);
  explicit operator float() const;
};

#ifdef WRONG
using number = half;
#else
using number = float;
#endif

hone::index ema_state_of_half(hone::tensor_list<half> const& parameters) {
  return hone::ema_state<number>(parameters).steps();
}
