// SPDX-License-Identifier: MIT
/// Objectives on a shard of the classes: labels of all classes become labels of the shard.
#pragma once

#include <hone/core/objective.hpp>
#include <hone/core/view_check.hpp>
#include <hone/loss/region/term.hpp>
#include <hone/loss/row/skipped_rows.hpp>
#include <hone/target/classes.hpp>
#include <hone/target/weigh_classes.hpp>

#include <hone/core/macros_push.hpp>

namespace hone::inline HONE_ABI::detail {

/// Passes the parts of a target on, labels counted from the first class of the shard. A label of another rank becomes
/// class 0 of the shard with weight 0, so that every row has the same number of labels.
template <class Sink, class Number>
struct shard_sink {
  Sink& to;
  index first, columns;

  HONE_HD void label(index c, Number weight) const {
    const bool here = c >= first && c - first < columns;
    to.label(here ? c - first : index(0), here ? weight : Number(0));
  }
  HONE_HD void uniform(Number weight) const { to.uniform(weight); }
  HONE_HD void dense(auto const& view, Number weight) const { to.dense(view, weight); }
};

/// The part of a target on the columns of a shard. Its dense parts and its class weights are those of the shard.
template <class Target>
struct shard_target {
  static constexpr int labels = Target::labels, dense_parts = Target::dense_parts;
  static constexpr bool has_uniform = Target::has_uniform;

  Target whole;
  index first = 0, classes = 0, shard_columns = 0;

  HONE_HD bool ignoring() const noexcept { return whole.ignoring(); }
  HONE_HD bool ignores(index i) const noexcept { return whole.ignores(i); }
  HONE_HD bool labels_fit(index i, index) const noexcept { return whole.labels_fit(i, classes); }
  HONE_HD double label_weight(index i, numbers weights) const noexcept { return whole.label_weight(i, weights); }

  template <class Number, class Sink>
  HONE_HD void visit(index i, index, Number scale, Sink& sink) const {
    shard_sink<Sink, Number> cut{sink, first, shard_columns};
    whole.visit(i, classes, scale, cut);
  }
  HONE_HD constexpr auto dense_views() const { return whole.dense_views(); }

  void check_shape(index, index) const noexcept {}  // the whole target has been checked
  void check_values(index, index) const noexcept {}
};
static_assert(row_target<shard_target<classes_target<int>>>);
template <weighed_target Target>
struct shard_target<Target> : shard_target<decltype(Target::target)> {
  static constexpr bool weighed = true;

  numbers weights;

  shard_target(Target const& target, index from, index all, index columns) noexcept
      : shard_target<decltype(Target::target)>{target.target, from, all, columns},
        weights(target.weights.part(from, columns)) {}
};

static_assert(weighed_target<shard_target<weigh_classes_target<classes_target<int>>>>);

/// A term with the target of a shard. The term's functions are those of Term; a member of Term that reads its target
/// sees the whole one.
template <class Term>
struct shard_term : Term {
  shard_target<target_of_term<Term>> target;

  shard_term(Term const& term, index first, index classes, index columns) noexcept
      : Term(term), target{term.target, first, classes, columns} {}
};

/// Whether a target, if a term has one, has only dense parts, so that a shard of it is the same target.
template <class Target>
inline constexpr bool is_cut_already = Target::labels == 0 && !Target::has_uniform && !weighed_target<Target>;

/// Returns the leaf of a shard.
template <class Term, int Weights>
auto shard_leaf(leaf<Term, Weights> const& whole, [[maybe_unused]] index first, [[maybe_unused]] index classes,
                [[maybe_unused]] index columns) {
  if constexpr (is_cut_already<target_of_term<Term>>) {
    return whole;
  } else {
    leaf<shard_term<Term>, Weights> result{{whole.term, first, classes, columns}, whole.factor};
    for (int k = 0; k < Weights; ++k) result.weights[k] = whole.weights[k];
    return result;
  }
}

/// Checks the shapes of a leaf: its dense targets and its teacher are those of the shard, its labels and numbers per
/// class those of all classes.
template <class View, class Term, int Weights>
void check_shard_shapes(View logits, leaf<Term, Weights> const& leaf, index classes) {
  const index rows = rows_of(logits), columns = columns_of(logits);
  leaf.check_weight_sizes(rows);
  if constexpr (row::has_target<Term>) {
    auto const& target = leaf.term.target;
    if constexpr (weighed_target<target_of_term<Term>>) {
      target.target.check_shape(rows, columns);
      require_size(target.weights, classes, "weigh_classes weight", "class");
    } else {
      target.check_shape(rows, columns);
    }
  }
  if constexpr (requires { leaf.term.check_shape(rows, classes); }) leaf.term.check_shape(rows, classes);
  if constexpr (row::has_teacher<Term>) require_like(leaf.term.teacher, "distillation teacher", logits);
}

template <class Leaf>
using shard_leaf_of = decltype(shard_leaf(std::declval<Leaf const&>(), index(), index(), index()));

/// Reports at compile time, in one sentence, what cannot be evaluated with classes cut over ranks. Returns true if
/// everything can.
template <class... Leaf>
constexpr bool require_cuttable(list<Leaf...> const*) {
  constexpr bool rows = (row_term<typename Leaf::term_type> && ...);
  static_assert(rows,
                "evaluate: classes cut over ranks need losses of rows (cross_entropy, distillation, ...); other losses "
                "do not compare classes, so each rank evaluates its own columns");
  if constexpr (rows) {
    constexpr bool regions = any_region_loss<Leaf...>;
    constexpr bool lists = (row::has_list<typename Leaf::term_type> || ...);
    constexpr bool numbered = (row::needs_column<typename Leaf::term_type> || ...) || regions ||
                              ((Leaf::term_type::class_numbers > 0) || ...);
    constexpr bool allowed = (allowed_target<target_of_term<typename Leaf::term_type>> || ...);
    static_assert(!regions, "evaluate: a region loss cannot have its classes cut over ranks");
    static_assert(!lists,
                  "evaluate: a term with a list of classes, such as top_k_distillation, cannot have its classes "
                  "cut over ranks");
    static_assert(regions || !numbered,
                  "evaluate: a term that reads the numbers of its classes cannot have its classes cut over ranks");
    static_assert(!allowed, "evaluate: smooth over allowed_classes cannot have its classes cut over ranks");
    return !(lists || numbered || allowed);
  } else {
    return false;
  }
}

}  // namespace hone::inline HONE_ABI::detail

#include <hone/core/macros_pop.hpp>
