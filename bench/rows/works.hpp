// SPDX-License-Identifier: MIT
#pragma once

#include "../work.hpp"

namespace bench::rows {

void add_cross_entropy(registry& r);

}  // namespace bench::rows
