// SPDX-License-Identifier: MIT
// wrong: select_branches_backward: dx is written, its type is const
#include <hone/hone.cuh>

#ifdef WRONG
using number = const float;
#else
using number = float;
#endif

void select_branches_backward_to_const(hone::cuda& gpu, hone::image_view<const float> x, hone::matrix_view<float> e,
                                       hone::image_view<const float> dy, hone::image_view<number> dx) {
  hone::select_branches_backward(gpu, x, e, dy, dx, {});
}
