// SPDX-License-Identifier: MIT
/// What every backend's evaluate refuses while it is compiled.
#pragma once

#include <hone/loss/element_term.hpp>
#include <hone/loss/row_term.hpp>

namespace hone::detail {

template <class Objective, class View>
constexpr void require_evaluable() {
  static_assert(objective<Objective>,
                "evaluate: the second argument must be an objective, such as hone::cross_entropy(target)");
  static_assert(element<number_of<View>>,
                "evaluate: a prediction holds float, double, or a 16-bit floating-point type");
}

/// Whether the terms of a sum are losses of rows; else all are element-wise.
template <class... Leaf>
constexpr bool sums_rows() {
  constexpr bool by_rows = (row_term<typename Leaf::term_type> && ...);
  static_assert(by_rows || (elementwise<typename Leaf::term_type> && ...),
                "evaluate: a sum may hold row terms (cross_entropy, distillation, ...) or element-wise terms "
                "(binary_cross_entropy, sigmoid_focal_loss, ...), not both");
  return by_rows;
}

}  // namespace hone::detail
