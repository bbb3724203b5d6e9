// SPDX-License-Identifier: MIT
// wrong: blur_pool: y must be of float, double or a 16-bit type
#include <hone/hone.cuh>

#ifdef WRONG
using number = int;
#else
using number = float;
#endif

void blur_pool_of_integers(hone::cuda& gpu, hone::image_view<number> x, hone::image_view<number> y) {
  hone::blur_pool(gpu, x, {4, 4}, y);
}
