// SPDX-License-Identifier: MIT
// wrong: recalibrate_backward: the gradients must be a branch of float, or of double for images of double
#include <hone/hone.cuh>

#ifdef WRONG
using number = const float;
#else
using number = float;
#endif

void recalibrate_backward_to_const(hone::cuda& gpu, hone::squeeze_excite<const float> const& branch,
                                   hone::image_view<float> x, hone::recalibration_numbers<float> const& numbers,
                                   hone::recalibration_numbers<float> const& scratch,
                                   hone::squeeze_excite<number> const& gradients) {
  hone::recalibrate_backward(gpu, branch, x, x, numbers, x, gradients, scratch);
}
