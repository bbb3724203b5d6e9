// SPDX-License-Identifier: MIT
/// Objectives on a block of rows, for backends whose kernels read targets by the number of the row in a prediction.
#pragma once

#include <hone/core/view.hpp>
#include <hone/loss/row/skipped_rows.hpp>

#include <hone/core/macros_push.hpp>

namespace hone::inline HONE_ABI::detail {

/// Whether a term reads numbers of rows beside those of its target and teacher, so that only it can be cut by itself.
template <class Term>
inline constexpr bool has_own_rows = row::has_list<Term> || requires(Term const& term, index i) {
  term.row_number(i);
} || requires(Term const& term) { term.each_input([](const char*, footprint const&) {}); };

template <class Term>
constexpr bool is_rowwise() {
  bool target = true, teacher = true, own = true;
  if constexpr (row::has_target<Term>) target = rowwise_target<target_of_term<Term>>;
  if constexpr (row::has_teacher<Term>) teacher = requires(Term const& term) { term.teacher.row_stride; };
  if constexpr (has_own_rows<Term>)
    own = requires(Term const& term, index i) {
      { term.of_rows(i, i) } -> std::same_as<Term>;
    };
  return target && teacher && own;
}

/// Reports at compile time, in one sentence, what cannot be cut into blocks of rows.
template <class... Leaf>
constexpr bool require_rowwise() {
  constexpr bool rowwise = (is_rowwise<typename Leaf::term_type>() && ...);
  static_assert(rowwise,
                "evaluate: linear_logits on CUDA are evaluated by blocks of rows: targets and teachers must be of "
                "matrices, and a target of your own, or a term with inputs of its own, needs a member "
                "of_rows(first, count) that returns it for these rows");
  return rowwise;
}

/// Returns the leaf of rows [first, first + count), which has been checked with the others.
template <class Term, int Weights>
leaf<Term, Weights> leaf_of_rows(leaf<Term, Weights> const& whole, index first, index count) {
  leaf<Term, Weights> part = whole;
  if constexpr (has_own_rows<Term>) part.term = whole.term.of_rows(first, count);
  if constexpr (row::has_target<Term>) part.term.target = whole.term.target.of_rows(first, count);
  if constexpr (row::has_teacher<Term>) part.term.teacher = part_of_rows(whole.term.teacher, first, count);
  for (int k = 0; k < Weights; ++k) part.weights[k] = whole.weights[k].part(first, count);
  return part;
}

}  // namespace hone::inline HONE_ABI::detail

#include <hone/core/macros_pop.hpp>
