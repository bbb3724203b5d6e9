// SPDX-License-Identifier: MIT
// wrong: average_pool: y must be of float, double or a 16-bit type
#include <hone/hone.cuh>

#ifdef WRONG
using number = unsigned char;
#else
using number = float;
#endif

void average_pool_of_integers(hone::cuda& gpu, hone::image_view<number> x, hone::image_view<number> y) {
  hone::average_pool(gpu, x, {4, 4}, y);
}
