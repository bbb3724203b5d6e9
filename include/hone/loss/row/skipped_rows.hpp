// SPDX-License-Identifier: MIT
/// The rows that a term skips: those that its own target ignores, or, if it has no target, those that any target of the
/// objective ignores.
#pragma once

#include <hone/core/list.hpp>
#include <hone/loss/row/term.hpp>
#include <hone/target/target.hpp>

#include <hone/core/macros_push.hpp>

namespace hone::inline HONE_ABI::detail {

/// Stands for the target of a term without one.
struct no_target {
  static constexpr int labels = 0;
  static constexpr int dense_parts = 0;
  static constexpr bool has_uniform = false;
};

template <class Term>
struct target_of {
  using type = no_target;
};
template <class Term>
  requires(row::has_target<Term>)
struct target_of<Term> {
  using type = std::remove_cvref_t<decltype(std::declval<Term const&>().target)>;
};
template <class Term>
using target_of_term = typename target_of<Term>::type;

/// Whether mean divides by the sum of the labels' class weights, not by the number of rows.
template <class Term>
inline constexpr bool divides_by_weights =
    weighed_target<target_of_term<Term>> && target_of_term<Term>::dense_parts == 0;

HONE_NO_EXEC_CHECK template <class Leaf, class Test>
HONE_HD bool test_target_of([[maybe_unused]] Leaf const& leaf, [[maybe_unused]] Test const& test) {
  if constexpr (row::has_target<typename Leaf::term_type>) return test(leaf.term.target);
  return false;
}

/// Whether test(target) is true of the leaf's own target, or, if it has none, of any target of the objective.
HONE_NO_EXEC_CHECK template <class Leaf, class... All, class Test>
HONE_HD bool any_target_of(Leaf const& leaf, list<All...> const& leaves, Test const& test) {
  if constexpr (row::has_target<typename Leaf::term_type>) return test(leaf.term.target);
  return leaves.apply([&](auto const&... l) { return (test_target_of(l, test) || ...); });
}

/// Whether the leaf's own target, or, if it has none, any target of the objective, has labels.
template <class Leaf, class... All>
inline constexpr bool has_labels = row::has_target<typename Leaf::term_type>
                                       ? target_of_term<typename Leaf::term_type>::labels > 0
                                       : ((target_of_term<typename All::term_type>::labels > 0) || ...);

}  // namespace hone::inline HONE_ABI::detail

#include <hone/core/macros_pop.hpp>
