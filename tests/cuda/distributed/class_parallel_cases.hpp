// SPDX-License-Identifier: MIT
/// The objectives of class_parallel_test.cu, and their results for whole rows, which hone::cpu computes in double: that
/// source is compiled without nvcc (class_parallel_reference.cpp).
#pragma once

#include <hone/core/reduction.hpp>
#include <hone/distil/decoupled_distillation.hpp>
#include <hone/distil/jensen_shannon.hpp>
#include <hone/distil/knowledge_distillation.hpp>
#include <hone/distil/reverse_distillation.hpp>
#include <hone/loss/row/ldam.hpp>
#include <hone/loss/row/poly1_cross_entropy.hpp>
#include <hone/loss/row/softmax_focal.hpp>
#include <hone/loss/row/z_loss.hpp>
#include <hone/target/mix.hpp>
#include <hone/target/probabilities.hpp>
#include <hone/target/smooth.hpp>
#include <hone/target/weigh_classes.hpp>

#include <span>
#include <vector>

namespace class_parallel {

enum class objective {
  plain,
  smoothed_with_z,
  weighed,
  class_weights,
  mixed,
  probabilities,
  knowledge,
  distilled,
  reverse,
  focal,
  poly1,
  ldam,
  jensen_shannon,
  decoupled,
  of_many,
};

/// What an objective reads, on the host or on a device. `some` ignores -100.
template <class T>
struct inputs {
  std::span<const int> labels, second, some;
  std::span<const double> lambda, row_weights, class_weights, margins;
  hone::matrix_view<const T> teacher;  // the columns of a rank
};

template <objective Which, class T>
auto make(inputs<T> const& in) {
  using enum objective;
  const auto hard = hone::classes(in.labels), other = hone::classes(in.second);
  const auto ignoring = hone::classes(in.some, {.ignore = -100});
  if constexpr (Which == plain) {
    return hone::cross_entropy(hard);
  } else if constexpr (Which == smoothed_with_z) {
    return hone::cross_entropy(hone::smooth(ignoring, 0.1)) + hone::z_loss(1e-3);
  } else if constexpr (Which == weighed) {
    const auto target = hone::smooth(hone::mix(hard, other, in.lambda), 0.1, hone::leave_one_out);
    return 2 * hone::weigh_rows(hone::cross_entropy(hone::weigh_classes(target, in.class_weights)), in.row_weights);
  } else if constexpr (Which == class_weights) {
    return hone::cross_entropy(hone::weigh_classes(ignoring, in.class_weights));
  } else if constexpr (Which == mixed) {
    return hone::cross_entropy(hone::mix(hard, hone::probabilities(in.teacher), 0.5));
  } else if constexpr (Which == objective::probabilities) {
    return hone::cross_entropy(hone::probabilities(in.teacher));
  } else if constexpr (Which == knowledge) {
    return hone::knowledge_distillation(ignoring, in.teacher, 4, {.alpha = 0.75});
  } else if constexpr (Which == distilled) {
    return hone::distillation(in.teacher, 2);
  } else if constexpr (Which == reverse) {
    return hone::reverse_distillation(in.teacher, 2);
  } else if constexpr (Which == focal) {
    return hone::softmax_focal_loss(hone::smooth(hard, 0.1), {.gamma = 1.5});
  } else if constexpr (Which == poly1) {
    return hone::poly1_cross_entropy(hard);
  } else if constexpr (Which == ldam) {
    return hone::ldam_loss(hard, in.margins, {.scale = 3});
  } else if constexpr (Which == jensen_shannon) {
    return hone::jensen_shannon_distillation(in.teacher, 2);
  } else if constexpr (Which == decoupled) {
    return hone::decoupled_distillation(hard, in.teacher, 4);
  } else {
    return hone::z_loss(1e-3) + hone::softmax_focal_loss(ignoring) + 0.5 * hone::distillation(in.teacher, 2) +
           hone::weigh_rows(hone::jensen_shannon_distillation(in.teacher, 1), in.row_weights);
  }
}

struct results {
  double value = 0;
  std::vector<double> losses, gradient;
};

/// The results of whole rows, of classes that are not cut.
results whole(objective which, std::vector<double> const& logits, hone::index classes, inputs<double> const& in,
              hone::reduction how);

}  // namespace class_parallel
