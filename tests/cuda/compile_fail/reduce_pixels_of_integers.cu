// SPDX-License-Identifier: MIT
// wrong: reduce_pixels: x must be of float, double or a 16-bit type
#include <hone/hone.cuh>

#ifdef WRONG
using number = int;
#else
using number = float;
#endif

void reduce_pixels_of_integers(hone::cuda& gpu, hone::image_view<number> x, hone::image_view<float> out) {
  hone::reduce_pixels(gpu, x, out);
}
