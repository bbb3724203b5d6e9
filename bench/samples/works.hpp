// SPDX-License-Identifier: MIT
#pragma once

#include "../work.hpp"

namespace bench::samples {

void add_mixing(registry& r);

}  // namespace bench::samples
