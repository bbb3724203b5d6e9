// SPDX-License-Identifier: MIT
#include "boxes/works.hpp"
#include "elements/works.hpp"
#include "rows/works.hpp"

namespace bench {

void add_all(registry& r) {
  rows::add_cross_entropy(r);
  rows::add_targets(r);
  rows::add_distillation(r);
  elements::add_elements(r);
  boxes::add_boxes(r);
}

}  // namespace bench
