// SPDX-License-Identifier: MIT
#pragma once

#include "../work.hpp"

namespace bench::boxes {

void add_boxes(registry& r);
void add_nms(registry& r);

}  // namespace bench::boxes
