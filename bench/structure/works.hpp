// SPDX-License-Identifier: MIT
#pragma once

#include "../work.hpp"

namespace bench::structure {

void add_deform_conv(registry& r);
void add_recalibrate(registry& r);

/// The number of images of a work; a test makes it small.
inline index images(registry const& r, index n) { return r.rows(n * 16) / 16; }

}  // namespace bench::structure
