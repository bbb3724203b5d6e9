// SPDX-License-Identifier: MIT
// wrong: recalibrate: the branch must be of float, or of double for images of double
#include <hone/hone.cuh>

#ifdef WRONG
using number = double;
#else
using number = float;
#endif

void recalibrate_of_doubles(hone::cuda& gpu, hone::squeeze_excite<const number> const& branch,
                            hone::image_view<float> x, hone::recalibration_numbers<float> const& numbers) {
  hone::recalibrate(gpu, branch, x, x, numbers);
}
