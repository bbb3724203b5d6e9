// SPDX-License-Identifier: MIT
/// What every backend's evaluate refuses while it is compiled.
#pragma once

#include <hone/loss/box/box_term.hpp>
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

/// What a sum consists of: losses of rows, of elements, or of boxes.
enum class sum_of : unsigned char { rows, elements, boxes };

template <class... Leaf>
constexpr sum_of kind_of_sum() {
  constexpr bool rows = (row_term<typename Leaf::term_type> && ...);
  constexpr bool elements = (elementwise<typename Leaf::term_type> && ...);
  static_assert(rows || elements || (boxwise<typename Leaf::term_type> && ...),
                "evaluate: a sum may hold row terms (cross_entropy, distillation, ...), element-wise terms "
                "(binary_cross_entropy, sigmoid_focal_loss, ...) or box losses (ciou_loss, ...), not two of these");
  return rows ? sum_of::rows : elements ? sum_of::elements : sum_of::boxes;
}

}  // namespace hone::detail
