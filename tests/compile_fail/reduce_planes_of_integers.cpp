// SPDX-License-Identifier: MIT
// wrong: reduce_planes: x must be of float, double or a 16-bit type
#include <hone/hone.hpp>

#ifdef WRONG
using number = unsigned char;
#else
using number = float;
#endif

void reduce_planes_of_integers(hone::cpu& cpu, hone::image_view<number> x, hone::matrix_view<float> out) {
  hone::reduce_planes(cpu, hone::plane_mean, x, out);
}
