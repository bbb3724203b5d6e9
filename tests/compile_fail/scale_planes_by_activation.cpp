// SPDX-License-Identifier: MIT
// wrong: scale_planes: the gate must be one of hone's, or return a value_grad of its number
#include <hone/hone.hpp>

void scale_planes_by_activation(hone::cpu& cpu, hone::image_view<float> x, hone::matrix_view<float> e) {
#ifdef WRONG
  hone::scale_planes(cpu, hone::relu, x, e, x);
#else
  hone::scale_planes(cpu, hone::sigmoid_gate, x, e, x, {.activation = hone::relu});
#endif
}
