// SPDX-License-Identifier: MIT
// wrong: scale_planes: y is written, its type is const
#include <hone/hone.cuh>

#ifdef WRONG
using number = const float;
#else
using number = float;
#endif

void scale_planes_to_const(hone::cuda& gpu, hone::image_view<const float> x, hone::matrix_view<float> e,
                           hone::image_view<number> y) {
  hone::scale_planes(gpu, hone::sigmoid_gate, x, e, y, {.activation = hone::relu});
}
