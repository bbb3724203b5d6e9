// SPDX-License-Identifier: MIT
/// Evaluates losses of rows on the logits of a linear layer, which are never stored whole, on the CPU.
#pragma once

#include <hone/cpu/evaluate.hpp>
#include <hone/cpu/rows/linear_blocks.hpp>
#include <hone/loss/linear_check.hpp>

#include <algorithm>
#include <array>
#include <type_traits>

#include <hone/core/macros_push.hpp>

namespace hone::inline HONE_ABI {

namespace detail {

template <class T, class... Leaf>
double evaluate_linear(cpu const& backend, list<Leaf...> const& all, linear_logits<T> const& z,
                       linear_outputs<T> const& out, reduction how) {
  using A = accumulator_t<T>;
  using blocks = on_cpu::linear_blocks<T, Leaf...>;
  const index rows = z.input.rows, classes = z.weight.rows;
  require_linear(z, out);
  const matrix_view<const A> shape{nullptr, rows, classes};
  all.each([&](auto const& l) { on_cpu::check_leaf(shape, l); });
  require_linear_apart(out, rows, all);
  require_row_facts(out, all, rows);
  const index each = count_of_row(how, false, classes);
  const auto scales = all.apply(
      [&](auto const&... l) { return std::array{factor_of(how, on_cpu::divisor_of(l, all, rows, each))...}; });
  const bool counts = classes > 0 && std::any_of(scales.begin(), scales.end(), [](double s) { return s != 0; });
  const index at_once = rows_at_once(rows, classes, z.rows_at_once, (index(32) << 20) / index(sizeof(A)), 16, 256);
  const on_cpu::scratch<on_cpu::scratch_for::linear> memory(blocks::bytes(z, at_once));
  double total = 0;
  if (classes == 0 && out.unreduced) std::fill_n(out.unreduced, rows, A(0));
  if (classes > 0 || out.has_gradient())
    total = blocks(backend, z, out, all, scales, counts, at_once, memory.data()).run();
  on_cpu::write_row_counts(out, all, rows, classes);
  if (!counts) total = 0;
  if (out.value) *out.value = narrowed<A>(total);
  return total;
}

}  // namespace detail

/// Evaluates an objective of losses of rows on the logits of a linear layer, block by block, and writes the gradients
/// of its input, weight and bias. Value, losses and gradients are those of evaluate on stored logits and of the
/// products by its gradient, up to rounding; the same bits for every number of threads. Memory besides the arguments:
/// the logits of rows_at_once rows, kept by the calling thread for the next call.
///
/// Throws hone::invalid_argument, and writes nothing, if a shape, a label or a number per row or class is not valid, or
/// memory overlaps.
template <class Objective, class T>
double evaluate(cpu const& backend, Objective const& objective, linear_logits<T> const& prediction,
                std::type_identity_t<linear_outputs<T>> const& out = {}, reduction how = mean) {
  using View = matrix_view<const accumulator_t<T>>;
  return detail::with_leaves<View>(objective, [&]<class... Leaf>(detail::list<Leaf...> const& all) {
    if constexpr (detail::require_linear_losses<Leaf...>())
      return detail::evaluate_linear(backend, all, prediction, out, how);
    else
      return 0.0;  // suppresses further errors of the compiler
  });
}
template <class Objective, class T, std::same_as<reduction> Reduction>
double evaluate(cpu const& backend, Objective const& objective, linear_logits<T> const& prediction, Reduction how) {
  return evaluate(backend, objective, prediction, {}, how);
}

}  // namespace hone::inline HONE_ABI

#include <hone/core/macros_pop.hpp>
