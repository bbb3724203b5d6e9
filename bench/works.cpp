// SPDX-License-Identifier: MIT
#include "rows/works.hpp"

namespace bench {

void add_all(registry& r) { rows::add_cross_entropy(r); }

}  // namespace bench
