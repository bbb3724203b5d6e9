// SPDX-License-Identifier: MIT
// wrong: scale_pixels: y must be of float, double or a 16-bit type
#include <hone/hone.cuh>

#ifdef WRONG
using number = int;
#else
using number = float;
#endif

void scale_pixels_of_integers(hone::cuda& gpu, hone::image_view<number> x, hone::matrix_view<float> e) {
  hone::scale_pixels(gpu, hone::sigmoid_gate, x, e, x);
}
