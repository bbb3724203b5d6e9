// SPDX-License-Identifier: MIT
// wrong: evaluate: a prediction holds float, double, or a 16-bit floating-point type
#include <hone/hone.cuh>

#include <cuda_fp16.h>

#ifdef WRONG
using number = int;
#else
using number = __half;
#endif

void integer_prediction(hone::cuda& gpu, const number* logits) {
  hone::evaluate(gpu, hone::z_loss(1e-4), hone::matrix_view{logits, 8, 10}, {});
}
