// SPDX-License-Identifier: MIT
// wrong: scale_planes: the gate must be one of hone's, or return a value_grad of its number
#include <hone/hone.cuh>

void scale_planes_by_activation(hone::cuda& gpu, hone::image_view<float> x, hone::matrix_view<float> e) {
#ifdef WRONG
  hone::scale_planes(gpu, hone::relu, x, e, x);
#else
  hone::scale_planes(gpu, hone::sigmoid_gate, x, e, x, {.activation = hone::relu});
#endif
}
