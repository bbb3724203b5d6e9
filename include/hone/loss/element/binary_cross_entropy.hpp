// SPDX-License-Identifier: MIT
/// Binary cross entropy on logits.
#pragma once

#include <hone/loss/element/logistic.hpp>
#include <hone/loss/element/term.hpp>

#include <hone/core/macros_push.hpp>

namespace hone::inline HONE_ABI {

///   value  softplus(x) - t x        gradient  σ(x) - t
struct binary_cross_entropy_formula {
  static constexpr bool of_probabilities = true;

  template <operand V, class W = unweighed>
  HONE_HD value_grad<V> operator()(V x, V t, W w = {}) const {
    const logistic<V> s(x);
    return {s.cross_entropy(x, t, w), s.slope(t, w)};
  }
};

/// Binary cross entropy, like PyTorch's BCEWithLogitsLoss. Takes targets in [0, 1] as a view of the prediction's shape,
/// or one-hot targets as hone::classes(labels), where a label outside the columns is background.
template <class Targets>
auto binary_cross_entropy(Targets targets) {
  static_assert(
      detail::element_targets<Targets>,
      "binary_cross_entropy: the targets must be a hone::matrix_view or hone::classes(labels), mixed or smoothed");
  return detail::element_loss(binary_cross_entropy_formula{}, targets);
}

static_assert(element_formula<binary_cross_entropy_formula>);

}  // namespace hone::inline HONE_ABI

#include <hone/core/macros_pop.hpp>
