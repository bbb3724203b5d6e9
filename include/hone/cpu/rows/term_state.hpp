// SPDX-License-Identifier: MIT
/// The data of one term on the CPU during the sweeps over a group of rows.
#pragma once

#include <hone/cpu/rows/full_target.hpp>
#include <hone/loss/row/skipped_rows.hpp>

#include <algorithm>
#include <limits>

#include <hone/core/macros_push.hpp>

namespace hone::inline HONE_ABI::on_cpu {

using detail::no_target;
using detail::target_of_term;

/// skips_rows: returns true if a leaf may ignore rows. skips: returns true if it ignores row i.
template <class Leaf, class... All>
bool skips_rows(Leaf const& leaf, detail::list<All...> const& leaves) noexcept {
  return detail::any_target_of(leaf, leaves, [](auto const& target) { return target.ignoring(); });
}
template <class Leaf, class... All>
bool skips(Leaf const& leaf, detail::list<All...> const& leaves, index i) noexcept {
  return detail::any_target_of(leaf, leaves, [i](auto const& target) { return target.ignores(i); });
}

template <class Term>
inline constexpr bool has_sparse_target = row::has_target<Term> && is_sparse<target_of_term<Term>>;
template <class Term>
inline constexpr bool has_full_target = row::has_target<Term> && !is_sparse<target_of_term<Term>>;
template <class Term>
inline constexpr bool smooths_allowed = has_sparse_target<Term> && allowed_target<target_of_term<Term>>;
template <class Term>
inline constexpr bool sums_full_target = has_full_target<Term> && row::sums_target<Term>;
template <class Term>
inline constexpr bool wants_sum_of_logits =
    has_sparse_target<Term> && row::sums_target<Term> && target_of_term<Term>::has_uniform && !smooths_allowed<Term>;
/// True if a term has a strip of teacher logits or of listed numbers.
template <class Term>
inline constexpr bool has_teacher_strip = row::has_teacher<Term> || row::has_list<Term>;

/// The source of a target in a sweep: registers (sparse_target), or the strip of a full target.
template <class A>
struct target_numbers {
  group_numbers<A> numbers{};
  next_row next{};
  A const* source = nullptr;

  void enter(bool last) noexcept { source = numbers.of(last); }
  pack<A> at(index i) const noexcept { return pack<A>::load(source + i); }
  template <bool>
  pack<A> at(index i) const noexcept {
    return at(i);
  }
  pack<A> uniform_at(index i) const noexcept { return at(i); }
};
template <class A, class Term>
using target_source =
    std::conditional_t<has_full_target<Term>, target_numbers<A>, sparse_target<A, target_of_term<Term>>>;

/// What a sweep reads of a target: all of it, in a group that is known to be tall or wide or not known, or the uniform
/// part of a sparse target alone. A branch within the loop would keep g++ from fusing multiplications and additions.
enum class target_part : unsigned char { all, all_tall, all_wide, uniform };
template <target_part Part>
inline constexpr bool is_tall_part = Part == target_part::all_tall;

/// The strip of a softmax's weights. `borrowed`: another term with an equal softmax writes it.
template <class A>
struct weight_strip {
  A* data = nullptr;
  bool borrowed = false;
};

/// Where the numbers of the classes are that a term with class_numbers reads in a group; nothing for other terms. They
/// lie as the numbers of a group do: in tall groups a number is repeated in all lanes.
template <class A, class Term>
struct class_numbers_source {
  A const* numbers = nullptr;
  index of_number = 0;

  void enter(row::class_table const& table, index row) noexcept {
    numbers = static_cast<A const*>(table.numbers) + row / table.rows * table.of_region;
    of_number = table.of_number;
  }
  template <class Element>
  void read(index i, Element& e) const noexcept {
    for (int k = 0; k < Term::class_numbers; ++k) e.class_number[k] = pack<A>::load(numbers + k * of_number + i);
  }
};
template <class A, class Term>
  requires(Term::class_numbers == 0)
struct class_numbers_source<A, Term> {};

/// The inputs of a term in the sweeps. A sweep copies them, so that the compiler knows that no store changes them.
template <class A, class Term>
struct leaf_inputs : class_numbers_source<A, Term> {
  using class_source = class_numbers_source<A, Term>;
  using V = pack<A>;
  using element = row::element<V, Term>;

  Term term;
  target_source<A, Term> q;
  group_numbers<A> t{};  // teacher, or listed numbers
  A const* t_source = nullptr;
  weight_strip<A> weights[element::size] = {};
  V max[element::size] = {};

  leaf_inputs(Term const& term_, target_source<A, Term> const& q_) noexcept : term(term_), q(q_) {}
  /// Copies member by member: g++ would copy one large block, with the members that a sweep does not use.
  HONE_INLINE leaf_inputs(leaf_inputs const& o) noexcept
      : class_source(o), term(o.term), q(o.q), t(o.t), t_source(o.t_source) {
    [&]<std::size_t... I>(std::index_sequence<I...>) {
      ((weights[I] = o.weights[I], max[I] = o.max[I]), ...);
    }(std::make_index_sequence<element::size>());
  }

  /// Sets the sources: the full packs or the last one.
  void enter([[maybe_unused]] bool last) noexcept {
    if constexpr (row::has_target<Term>) q.enter(last);
    if constexpr (has_teacher_strip<Term>) t_source = t.of(last);
  }
  /// Returns element i of the row, without weights.
  template <target_part Part>
  element read(index i, V logit, V column) const noexcept {
    element e;
    e.logit = logit;
    if constexpr (row::has_target<Term>) {
      if constexpr (Part == target_part::all)
        e.target = q.at(i);
      else if constexpr (Part == target_part::uniform)
        e.target = q.uniform_at(i);
      else
        e.target = q.template at<is_tall_part<Part>>(i);
    }
    if constexpr (row::has_teacher<Term>) e.teacher = V::load(t_source + i);
    if constexpr (row::has_list<Term>) e.listed = V::load(t_source + i);
    if constexpr (row::needs_column<Term>) e.column = column;
    if constexpr (Term::class_numbers > 0) class_source::read(i, e);
    e.locate(max);
    return e;
  }
  /// Returns element i with weights; `base` are its weights of softmax<>.
  template <target_part Part>
  element at(index i, V logit, V column, V base) const noexcept {
    element e = read<Part>(i, logit, column);
    row::each_statistic<Term>([&](auto k) {
      using S = row::statistic<k(), Term>;
      if constexpr (row::is_base<S>) {
        e.weights[k()] = base;
      } else if constexpr (row::is_softmax<S>) {
        e.weights[k()] = V::load(weights[k()].data + i);
      }
    });
    return e;
  }

  /// Returns the largest number in the subset of a softmax, per lane; finite.
  template <class S>
  V largest_in_subset(group_numbers<A> z, group_extent<A> extent) const noexcept {
    const V lowest(std::numeric_limits<A>::lowest());  // finite, because -inf - -inf is NaN
    V maximum = lowest;
    leaf_inputs in = *this;
    for (row_stretch<A> s(extent); s.next();) {
      A const* const at = z.of(s.last());
      in.enter(s.last());
      for (index i = s.begin; i < s.end; i += V::size)
        maximum = on_cpu::max(
            maximum, row::maximum_part<S>(in.template read<target_part::all>(i, V::load(at + i), V(0)), lowest));
    }
    return maximum;
  }
};

/// The inputs of a term, and its sums over the group so far.
template <class A, class Term>
struct leaf_state : leaf_inputs<A, Term> {
  using leaf_inputs<A, Term>::leaf_inputs;

  next_row t_next{};
  pack<A> rate = pack<A>(1);                 // 1 / temperature
  row::result_type<pack<A>, Term> result{};  // of the group
  pack<A> scale = pack<A>(0);                // factor · row weight / divisor, per lane
  mask<A> counts = {};                       // lanes whose scale is not 0
  row::knowledge<pack<A>, Term> known{};

  /// Returns Σ q; only for terms that sum the target.
  pack<A>& mass() noexcept { return known.s.sum[row::target_place<Term>]; }

  /// Adds up the sums of the first sweep over the lanes with `collapse`; `logits` is Σ (z - max) of the row.
  template <class Collapse>
  void end_first(row::normaliser<pack<A>> const& base, [[maybe_unused]] pack<A> logits,
                 Collapse const& collapse) noexcept {
    row::each_gathered(known.s, [&](pack<A>& sum) { sum = collapse(sum); });
    if constexpr (sums_full_target<Term>) mass() = collapse(mass()), known.s.dot = collapse(known.s.dot);
    if constexpr (wants_sum_of_logits<Term>) {
      const pack<A> ground = this->q.ground();
      known.s.dot += zero_where(ground == pack<A>(0), ground * logits);
    }
    known.base = base;
  }
};

/// Fills `strip` with the listed numbers of a term, and 1 for all other classes; returns it.
template <class A, class Term>
group_numbers<A> list_numbers(Term const& term, group g, A* strip, index size) noexcept {
  std::fill_n(strip, size, A(1));
  for (int lane = 0; lane < g.rows; ++lane)
    term.list(g.row + lane, [&](index c, float x) { strip[g.position<A>(c, lane)] = static_cast<A>(x); });
  return {strip, strip};
}
/// Returns row_number(i) of a term, per lane.
template <class A, class Term>
pack<A> row_numbers(Term const& term, group g) noexcept {
  typename pack<A>::lanes numbers = {};
  for (int lane = 0; lane < g.rows; ++lane) numbers[lane] = row::number_of<A>(term, g.row + lane);
  return packed(g.tall, numbers);
}

/// The inputs and the sums of one term in the first sweep; empty if the term sums nothing.
template <class A, class Term>
struct first_part {
  using sums = row::sums<pack<A>, Term>;

  leaf_inputs<A, Term> in;
  next_row t_next;
  pack<A> rate;
  sums s{}, stretches{};

  explicit first_part(leaf_state<A, Term> const& l) noexcept : in(l), t_next(l.t_next), rate(l.rate) {}

  void enter(bool last) noexcept { in.enter(last); }
  /// Adds the sums of a stretch to those of the previous stretches, and resets them to 0.
  void end_stretch() noexcept { fold(s, stretches); }
  /// Adds the sums of the stretches to the leaf's, or replaces those if `first` is true, and resets them to 0.
  void give(leaf_state<A, Term>& l, bool first) noexcept {
    if (first) fold(l.known.s, l.known.s, true);
    fold(stretches, l.known.s);
  }

 private:
  /// Adds `from` to `to` and sets `from` to 0; with `clear_only`, only sets `from` to 0.
  static void fold(sums& from, sums& to, bool clear_only = false) noexcept {
    const auto one = [clear_only](pack<A>& x, pack<A>& y) {
      if (!clear_only) y += x;
      x = pack<A>(0);
    };
    row::each_statistic<Term>([&](auto k) {
      if constexpr (row::is_gathered<row::statistic<k(), Term>>) one(from.sum[k()], to.sum[k()]);
    });
    if constexpr (sums_full_target<Term>)
      one(from.sum[row::target_place<Term>], to.sum[row::target_place<Term>]), one(from.dot, to.dot);
  }
};
template <class A, class Term>
  requires(!row::gathers<Term> && !sums_full_target<Term>)
struct first_part<A, Term> {
  explicit first_part(leaf_state<A, Term> const&) noexcept {}
  void enter(bool) const noexcept {}
  void end_stretch() const noexcept {}
  void give(leaf_state<A, Term>&, bool) const noexcept {}
};

/// The inputs of one term in the last sweep.
template <class A, class Term>
struct last_part {
  leaf_inputs<A, Term> in;
  row::result_type<pack<A>, Term> result;
  pack<A> scale;
  mask<A> counts;

  explicit last_part(leaf_state<A, Term> const& l) noexcept
      : in(l), result(l.result), scale(l.scale), counts(l.counts) {}
};

}  // namespace hone::inline HONE_ABI::on_cpu

#include <hone/core/macros_pop.hpp>
