// SPDX-License-Identifier: MIT
// wrong: reduce_planes: the reduction must be plane_mean
#include <hone/hone.hpp>

void reduce_planes_by_reduction(hone::cpu& cpu, hone::image_view<float> x, hone::matrix_view<float> out) {
#ifdef WRONG
  hone::reduce_planes(cpu, hone::mean, x, out);  // how losses are reduced
#else
  hone::reduce_planes(cpu, hone::plane_mean, x, out);
#endif
}
