// SPDX-License-Identifier: MIT
#include <gpu/losses.cuh>

void bench::losses_float(table& works) { losses<float>(works, "float"); }
