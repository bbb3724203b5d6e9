// SPDX-License-Identifier: MIT
#include "boxes/works.hpp"
#include "elements/works.hpp"
#include "rows/works.hpp"
#include "samples/works.hpp"
#include "structure/works.hpp"
#include "tensors/works.hpp"

namespace bench {

void add_all(registry& r) {
  rows::add_cross_entropy(r);
  rows::add_targets(r);
  rows::add_distillation(r);
  rows::add_regions(r);
  elements::add_elements(r);
  boxes::add_boxes(r);
  boxes::add_nms(r);
  tensors_of_a_model::add_average(r);
  tensors_of_a_model::add_gradients(r);
  tensors_of_a_model::add_step(r);
  samples::add_mixing(r);
  structure::add_recalibrate(r);
  structure::add_deform_conv(r);
}

}  // namespace bench
