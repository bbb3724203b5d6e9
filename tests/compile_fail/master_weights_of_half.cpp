// SPDX-License-Identifier: MIT
// wrong: master_weights: a master is float or double
#include <hone/precision/master_weights.hpp>

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

std::size_t master_weights_of_half(hone::tensor_list<half> const& parameters) {
  return hone::master_weights<number>(parameters).tensors().size();
}
