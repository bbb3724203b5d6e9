// SPDX-License-Identifier: MIT
#pragma once

#include "../work.hpp"

namespace bench::boxes {

void add_boxes(registry& r);

}  // namespace bench::boxes
