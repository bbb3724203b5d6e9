// SPDX-License-Identifier: MIT
#include <gpu/losses.cuh>

bool bench::losses_bfloat16(options const& o) { return losses<__nv_bfloat16>(o, "bfloat16"); }
