// SPDX-License-Identifier: MIT
// wrong: select_branches: y must be of float, double or a 16-bit type
#include <hone/hone.cuh>

#ifdef WRONG
using number = int;
#else
using number = float;
#endif

void select_branches_of_integers(hone::cuda& gpu, hone::image_view<number> x, hone::matrix_view<float> e,
                                 hone::image_view<number> y) {
  hone::select_branches(gpu, x, e, y);
}
