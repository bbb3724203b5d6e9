// SPDX-License-Identifier: MIT
// wrong: deform_conv2d: input, weight and output are of one type: float, double, half or bfloat16
#include <hone/hone.cuh>

#ifdef WRONG
using number = int;
#else
using number = float;
#endif

void deform_conv2d_of_integers(hone::cuda& gpu, hone::feature_view<number> x, hone::feature_view<float> offsets,
                               hone::feature_view<number> weight, hone::feature_view<number> output) {
  hone::deform_conv2d(gpu, x, offsets, {}, weight, {}, {}, output);
}
