// SPDX-License-Identifier: MIT
#pragma once

#include "../work.hpp"

namespace bench::rows {

void add_cross_entropy(registry& r);
void add_targets(registry& r);
void add_distillation(registry& r);
void add_regions(registry& r);

}  // namespace bench::rows
