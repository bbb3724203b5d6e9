// SPDX-License-Identifier: MIT
// wrong: reduce_planes: x must be of float, double or a 16-bit type
#include <hone/hone.cuh>

#ifdef WRONG
using number = unsigned char;
#else
using number = float;
#endif

void reduce_planes_of_integers(hone::cuda& gpu, hone::image_view<number> x, hone::matrix_view<float> out) {
  hone::reduce_planes(gpu, hone::plane_mean, x, out);
}
