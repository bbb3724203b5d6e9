// SPDX-License-Identifier: MIT
#include "rows/works.hpp"

namespace bench {

void add_all(registry& r) {
  rows::add_cross_entropy(r);
  rows::add_targets(r);
  rows::add_distillation(r);
}

}  // namespace bench
