// SPDX-License-Identifier: MIT
/// The checks of every backend's evaluate on linear_logits that look at the objective.
#pragma once

#include <hone/loss/apart.hpp>
#include <hone/loss/region/term.hpp>
#include <hone/loss/row/linear_logits.hpp>

#include <hone/core/macros_push.hpp>

namespace hone::inline HONE_ABI::detail {

/// Refuses at compile time what needs the logits of all rows, or losses that are no losses of rows.
template <class... Leaf>
constexpr bool require_linear_losses() {
  constexpr bool rows = (row_term<typename Leaf::term_type> && ...);
  constexpr bool region = any_region_loss<Leaf...>;
  static_assert(rows && !region,
                "evaluate: linear_logits need losses of rows (cross_entropy, z_loss, distillation, ...); for others "
                "compute the logits, and evaluate these");
  return rows && !region;
}

/// Fails if an output shares memory with an input of the objective.
template <class T, class... Leaf>
void require_linear_apart(linear_outputs<T> const& out, index rows, list<Leaf...> const& all) {
  const auto outputs = footprints_of(out, rows);
  all.each([&](auto const& l) {
    each_input_of_leaf(l, [&](const char* name, footprint const& input) {
      require_apart("evaluate", outputs, named_footprint{name, input});
    });
  });
}

}  // namespace hone::inline HONE_ABI::detail

#include <hone/core/macros_pop.hpp>
