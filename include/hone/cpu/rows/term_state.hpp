// SPDX-License-Identifier: MIT
/// What the CPU holds of one term while it sweeps a group of rows.
#pragma once

#include <hone/cpu/rows/full_target.hpp>
#include <hone/loss/row/skipped_rows.hpp>

#include <limits>

#include <hone/core/macros_push.hpp>

namespace hone::inline HONE_ABI::on_cpu {

using detail::no_target;
using detail::target_of_term;

/// Whether a leaf passes over any rows, and over row i.
template <class Leaf, class... All>
bool skips_rows(Leaf const& leaf, detail::list<All...> const& leaves) noexcept {
  return detail::any_target_of(leaf, leaves, [](auto const& target) { return target.ignoring(); });
}
template <class Leaf, class... All>
bool skips(Leaf const& leaf, detail::list<All...> const& leaves, index i) noexcept {
  return detail::any_target_of(leaf, leaves, [i](auto const& target) { return target.ignores(i); });
}

template <class Term>
inline constexpr bool has_sparse_target = Term::has_target && is_sparse<target_of_term<Term>>;
template <class Term>
inline constexpr bool has_full_target = Term::has_target && !is_sparse<target_of_term<Term>>;
template <class Term>
inline constexpr bool smooths_allowed = has_sparse_target<Term> && allowed_target<target_of_term<Term>>;
template <class Term>
inline constexpr bool wants_sum_of_logits =
    has_sparse_target<Term> && target_of_term<Term>::has_uniform && !smooths_allowed<Term>;

/// What a sweep reads a target from: registers, or the numbers of a full target.
template <class A>
struct target_numbers {
  A const* data = nullptr;
  row_ahead next{};

  pack<A> at(index i) const noexcept { return pack<A>::load(data + i); }
  pack<A> rest_at(index i) const noexcept { return at(i); }
};
template <class A, class Term>
using target_source =
    std::conditional_t<has_full_target<Term>, target_numbers<A>, sparse_target<A, target_of_term<Term>>>;

/// What the sweeps read of a term. They copy it, so that the compiler need not fear that a store changes it.
template <class A, class Term>
struct leaf_inputs {
  using V = pack<A>;

  Term term;
  target_source<A, Term> q;
  A const* t = nullptr;  // teacher
  row_ahead t_next{};
  A* kept[2] = {};
  V t_max = V(0), rest_max = V(0);
  typename Term::template row<V> row{};
  V scale = V(0);       // factor · row weight / divisor, per lane
  mask<A> counts = {};  // lanes whose scale is not 0

  /// Element i of the row; `Labels` says whether with the labels of a sparse target or with its ground alone.
  template <bool Labels>
  row_element<V> at(index i, V z, V p) const noexcept {
    row_element<V> e{z, p, V(0), V(0), {V(0), V(0)}};
    if constexpr (Term::has_target) e.q = Labels ? q.at(i) : q.rest_at(i);
    if constexpr (Term::kept > 0) e.kept[0] = V::load(kept[0] + i);
    if constexpr (Term::kept > 1) e.kept[1] = V::load(kept[1] + i);
    return e;
  }

  /// The largest of these numbers in the rest of a term that splits the classes, per lane.
  V largest_of_rest(A const* numbers, index packs) const noexcept {
    V most(std::numeric_limits<A>::lowest());  // finite: to subtract -inf from itself gives NaN
    for (index i = 0; i < packs * V::size; i += V::size) {
      row_element<V> e{V(0), V(0), V(0), V(0), {V(0), V(0)}};
      if constexpr (Term::has_target) e.q = q.at(i);
      if constexpr (Term::has_list) e.t = V::load(t + i);
      most = max(most, select(term.rest(e), V::load(numbers + i), most));
    }
    return most;
  }
};

/// The term with its sums over the group.
template <class A, class Term>
struct leaf_state : leaf_inputs<A, Term> {
  row_statistics<pack<A>> s{};
};

/// The sums of a first sweep, and what it reads; nothing for a term that has no part in it.
template <class A, class Term>
struct first_part {
  leaf_inputs<A, Term> in;
  row_statistics<pack<A>> s{};

  explicit first_part(leaf_state<A, Term> const& l) noexcept : in(l) {}
  /// Hands the sums to the leaf, the first time in place of what it has, and begins anew.
  void give(leaf_state<A, Term>& l, bool first) noexcept {
    const auto hand = [first](pack<A>& from, pack<A>& to) {
      to = first ? from : to + from;
      from = pack<A>(0);
    };
    for (int i = 0; i < Term::sums; ++i) hand(s.sums[i], l.s.sums[i]);
    if constexpr (has_full_target<Term>) hand(s.mass, l.s.mass), hand(s.dot, l.s.dot);
  }
};
template <class A, class Term>
  requires(Term::kept == 0 && !has_full_target<Term>)
struct first_part<A, Term> {
  explicit first_part(leaf_state<A, Term> const&) noexcept {}
  void give(leaf_state<A, Term>&, bool) const noexcept {}
};

}  // namespace hone::inline HONE_ABI::on_cpu

#include <hone/core/macros_pop.hpp>
