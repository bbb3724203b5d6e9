// SPDX-License-Identifier: MIT
#include "recipes.hpp"

namespace segmentation {
namespace {

/// objective(target) is the whole loss, a sum of terms: hone reads the logits for all of them at once.
template <class Objective>
pixel_loss loss_of(Objective objective) {
  return [objective](const hone::cpu& cpu, const pixel_batch& b) {
    const auto target = hone::classes(b.labels, {.ignore = ignored});                   // hone
    return hone::evaluate(cpu, objective(target), b.logits, {.gradient = b.gradient});  // hone
  };
}

}  // namespace

std::vector<recipe> all_recipes() {
  return {
      {"ce", "cross-entropy", loss_of([](auto t) { return hone::cross_entropy(t); })},  // hone
      {"ce_dice", "cross-entropy + Dice",
       loss_of([](auto t) { return hone::cross_entropy(t) + hone::dice_loss(t); })},  // hone
      {"focal_dice", "focal loss + Dice",
       loss_of([](auto t) { return hone::softmax_focal_loss(t, {.gamma = 2}) + hone::dice_loss(t); })},  // hone
      {"ce_lovasz", "cross-entropy + Lovász-Softmax",
       loss_of([](auto t) { return hone::cross_entropy(t) + hone::lovasz_softmax_loss(t); })},  // hone
  };
}

}  // namespace segmentation
