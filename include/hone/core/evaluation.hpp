// SPDX-License-Identifier: MIT
/// The arguments of one call of evaluate, shared by the loops of every backend.
#pragma once

#include <hone/core/list.hpp>
#include <hone/core/number.hpp>
#include <hone/core/outputs.hpp>
#include <hone/core/view.hpp>

#include <hone/core/macros_push.hpp>

namespace hone::inline HONE_ABI::detail {

/// A prediction, the requested outputs, and the leaves of the objective. A is the type of the arithmetic.
template <class View, class... Leaf>
struct evaluation {
  using T = number_of<View>;
  using A = accumulator_t<T>;

  View prediction;
  typename outputs_of<View>::type out;
  list<Leaf...> leaves;
};

}  // namespace hone::inline HONE_ABI::detail

#include <hone/core/macros_pop.hpp>
