// SPDX-License-Identifier: MIT
#include <gpu/losses.cuh>

bool bench::losses_float(options const& o) { return losses<float>(o, "float"); }
