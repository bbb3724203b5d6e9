// SPDX-License-Identifier: MIT
#include <gpu/losses.cuh>

void bench::losses_bfloat16(table& works) { losses<__nv_bfloat16>(works, "bfloat16"); }
