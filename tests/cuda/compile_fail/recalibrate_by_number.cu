// SPDX-License-Identifier: MIT
// wrong: recalibrate: the product must be callable with a stream and a hone::matrix_product
#include <hone/hone.cuh>

#ifdef WRONG
using product = int;
#else
using product = hone::small_product;
#endif

void recalibrate_by_number(hone::cuda& gpu, hone::effective_squeeze_excite<float> const& branch,
                           hone::image_view<float> x, hone::recalibration_numbers<float> const& numbers) {
  hone::recalibrate(gpu, branch, x, x, numbers, {}, product{});
}
