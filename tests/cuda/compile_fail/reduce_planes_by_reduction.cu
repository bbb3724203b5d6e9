// SPDX-License-Identifier: MIT
// wrong: reduce_planes: the reduction must be plane_mean
#include <hone/hone.cuh>

void reduce_planes_by_reduction(hone::cuda& gpu, hone::image_view<float> x, hone::matrix_view<float> out) {
#ifdef WRONG
  hone::reduce_planes(gpu, hone::mean, x, out);  // how losses are reduced
#else
  hone::reduce_planes(gpu, hone::plane_mean, x, out);
#endif
}
