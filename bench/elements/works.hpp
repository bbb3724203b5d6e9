// SPDX-License-Identifier: MIT
#pragma once

#include "../work.hpp"

namespace bench::elements {

void add_elements(registry& r);

}  // namespace bench::elements
