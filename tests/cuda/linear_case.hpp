// SPDX-License-Identifier: MIT
/// Layers with losses for the tests of linear_logits on CUDA, and what hone::cpu makes of them.
#pragma once

#include <hone/distil.hpp>
#include <hone/loss.hpp>
#include <hone/target.hpp>

#include <span>
#include <vector>

namespace linear {

using hone::index;

/// labels       cross entropy, some rows ignored
/// smoothed     with smoothed labels, and z_loss
/// distilled    half of it, with row weights; half distillation
/// mixed        class weights of labels mixed with those of partners, and probabilities
enum class loss { labels, smoothed, distilled, mixed };

/// What an objective views: of the host, or of the device.
struct inputs {
  std::span<const int> labels;
  std::span<const float> row_weights, class_weights, lambdas;
  std::span<const index> partners;
  hone::matrix_view<const float> teacher, probabilities;
};

template <loss Loss>
auto objective(inputs const& of) {
  const auto target = hone::classes(of.labels, {.ignore = -1});
  if constexpr (Loss == loss::labels) {
    return hone::cross_entropy(target);
  } else if constexpr (Loss == loss::smoothed) {
    return hone::cross_entropy(hone::smooth(target, 0.1)) + hone::z_loss(1e-2);
  } else if constexpr (Loss == loss::distilled) {
    return hone::weigh_rows(0.5 * hone::cross_entropy(target), of.row_weights) +
           0.5 * hone::distillation(of.teacher, 2);
  } else {
    const auto partner = hone::partner_classes(of.labels, of.partners, {.ignore = -1});
    return hone::cross_entropy(hone::weigh_classes(hone::mix(target, partner, of.lambdas), of.class_weights)) +
           hone::cross_entropy(hone::probabilities(of.probabilities));
  }
}

/// Gradients, losses and value, in double.
struct answer {
  std::vector<double> dx, dw, db, losses;
  double value = 0;
};

/// Numbers that 16-bit types hold, so that the same layer has the same numbers in any type.
struct problem {
  index rows, features, classes;
  std::vector<double> x, w, b;
  std::vector<int> labels;
  std::vector<float> row_weights, class_weights, lambdas, teacher, probabilities;
  std::vector<index> partners;

  problem(index rows, index features, index classes, unsigned seed = 1);
  inputs host() const;
};

/// Returns what evaluate on hone::cpu writes, with arithmetic in double, in blocks of 7 rows.
answer on_cpu(loss of, problem const& p, hone::reduction how);

}  // namespace linear
