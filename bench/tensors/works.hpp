// SPDX-License-Identifier: MIT
#pragma once

#include "../work.hpp"

namespace bench::tensors_of_a_model {

void add_average(registry& r);
void add_gradients(registry& r);
void add_step(registry& r);

}  // namespace bench::tensors_of_a_model
