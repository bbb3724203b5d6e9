// SPDX-License-Identifier: MIT
// wrong: evaluate: a prediction holds float, double, or a 16-bit floating-point type
#include <hone/hone.cuh>

#include <cuda_bf16.h>

#ifdef WRONG
using number = short;
#else
using number = __nv_bfloat16;
#endif

void integer_pixels(hone::cuda& gpu, const number* logits) {
  hone::evaluate(gpu, hone::z_loss(1e-4), hone::image_view{logits, 2, 10, 6, 6}, {});
}
