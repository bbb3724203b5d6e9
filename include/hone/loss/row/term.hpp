// SPDX-License-Identifier: MIT
/// A row term: a loss of a row of logits, computed from statistics of the row. A term has
///
///   statistics       row::list<…>, the statistics that it requests (loss/row/statistics.hpp)
///   finish(…)        takes them in this order; returns a struct r: the row's `loss` and the inputs of gradient
///   gradient(r, e)   returns the derivative by the logit of element e; row::weight<I>(e), row::target_of(e), … read e
///                    and are described in loss/row/gather.hpp
///   scaled(r, f)     may be given: returns a result for which gradient() is f times what it is for r, if all targets
///                    are f times as large; a backend then multiplies once per row
///
/// and, if its statistics need them, members `target`, `teacher`, `temperature` (positive: check it in the factory). A
/// term whose sums depend on these statistics has, in addition,
///
///   start(…)         takes the statistics in place of finish; returns s. Without it s is the one statistic
///   later_sweep      row::sweep<N, subset>, with later(s, e), which returns N numbers of an element; their sums go to
///                    finish. A backend calls later for the classes of the subset, and may call it for others
///   close_sweep      the same for rows for which is_close(s), or is_close(s, later sums), is true, for example because
///                    sums would cancel; close(s, e) returns N numbers or, if it replaces weights, row::replaced
///   finish(s, …)     then takes the result of start and the sums of both sweeps
///
/// A term with a list stores a number, at most 0, for some classes of a row: list(i, put) calls put(class, number) for
/// each stored class of row i; listed(i, class) returns the number, or 1 if the class is not stored. A term with inputs
/// beside its target and teacher names them in each_input(see), and checks them in check_shape and check_values, as
/// targets do; of_rows(first, count) returns the term with those of rows [first, first + count), for linear_logits on
/// CUDA, which cut target and teacher themselves. A term with class_numbers = N has a `table`, N numbers per class
/// (class_table), which a backend fills before it reads rows; row::class_number<I>(e) reads it.
///
/// All terms of an objective share the sweeps and the weights of softmax<>. V is a number on a GPU and a pack on the
/// CPU, whose lanes are classes of one row or one class of several rows; a term must work for all. Lanes after the last
/// class have logit -inf and weight 0. A class of target 0 must add exactly 0, even if its logit is -inf.
#pragma once

#include <hone/core/lanes.hpp>
#include <hone/core/objective.hpp>
#include <hone/loss/row/gather.hpp>

#include <hone/core/macros_push.hpp>

namespace hone::inline HONE_ABI {

/// Defaults of the properties of a row term; a term sets one to true to use the named function.
struct row_term_base : objective_base {
  static constexpr bool gradient_reads_coordinates = false;  ///< row::coordinate_of in gradient
  static constexpr bool reads_column = false;                ///< row::column_of
  static constexpr int class_numbers = 0;                    ///< row::class_number<I>, for I below this number
};

namespace row {

/// Numbers per class, the same for all rows of a region: number i of region r begins at r · of_region + i · of_number,
/// in the type of the arithmetic and in the order of the backend. Row i is in region i / rows.
struct class_table {
  void const* numbers = nullptr;
  index rows = 1, of_region = 0, of_number = 0;
};

/// The result of close(s, e) if its sweep replaces a weight.
template <class V, int N>
struct replaced {
  bundle<V, N> sums;
  V weight;
};

template <class Term>
inline constexpr int later_size = 0;
template <class Term>
  requires requires { Term::later_sweep::size; }
inline constexpr int later_size<Term> = Term::later_sweep::size;
template <class Term>
inline constexpr int close_size = 0;
template <class Term>
  requires requires { Term::close_sweep::size; }
inline constexpr int close_size<Term> = Term::close_sweep::size;
/// The statistic whose weights the close sweep replaces, or -1.
template <class Term>
inline constexpr int replaced_weights = -1;
template <class Term>
  requires requires { Term::close_sweep::size; }
inline constexpr int replaced_weights<Term> = Term::close_sweep::replaces;

template <class Term>
inline constexpr bool has_later_sweeps = later_size<Term> > 0 || close_size<Term> > 0;

template <class S>
struct needs_column_type : std::false_type {};
template <int I>
struct needs_column_type<total<I, column>> : std::true_type {};
template <class Term>
inline constexpr bool needs_column = Term::reads_column || any_in<statistics_of<Term>, needs_column_type>;

// ---- calls of a backend to a term

/// Return the temperature of a term, or 1, and its number of row i, or 0, if its statistics do not need them.
template <class Term>
HONE_HD double temperature_of([[maybe_unused]] Term const& term) {
  if constexpr (has_temperature<Term>) return term.temperature;
  return 1;
}
HONE_NO_EXEC_CHECK template <class V, class Term>
HONE_HD V number_of([[maybe_unused]] Term const& term, [[maybe_unused]] index i) {
  if constexpr (requires { term.row_number(i); }) return static_cast<V>(term.row_number(i));
  return V(0);
}

/// Returns the result of statistic I, as the term receives it.
template <int I, class V, class Term>
HONE_HD auto told(sums<V, Term> const& s, normaliser<V> const& base) noexcept {
  using S = statistic<I, Term>;
  if constexpr (is_base<S>) {
    return base;
  } else if constexpr (is_softmax<S>) {
    return exponentials<V>{s.max[I], s.sum[I]};
  } else if constexpr (std::same_as<S, target>) {
    return target_sums<V>{s.sum[I], s.dot};
  } else {
    return s.sum[I];
  }
}

struct nothing {};

/// Calls start(statistics…) of a term with later sweeps.
HONE_NO_EXEC_CHECK template <class V, class Term, int... I>
HONE_HD auto start_with(Term const& term, sums<V, Term> const& s, normaliser<V> const& base,
                        std::integer_sequence<int, I...>) {
  constexpr bool takes = requires { term.start(told<I>(s, base)...); };
  static_assert(takes || sizeof...(I) == 1,
                "row term: a term with later sweeps needs start(…), which takes what `statistics` lists");
  if constexpr (takes) {
    return term.start(told<I>(s, base)...);
  } else if constexpr (sizeof...(I) == 1) {
    return told<0>(s, base);
  }
}
HONE_NO_EXEC_CHECK template <class V, class Term>
HONE_HD auto start_of(Term const& term, sums<V, Term> const& s, normaliser<V> const& base) {
  if constexpr (has_later_sweeps<Term>) {
    return start_with(term, s, base, std::make_integer_sequence<int, count_of<Term>>());
  } else {
    return nothing();
  }
}
template <class V, class Term>
using start_type = decltype(start_of(std::declval<Term const&>(), std::declval<sums<V, Term> const&>(),
                                     std::declval<normaliser<V> const&>()));

/// All values of a row that a term's finish receives.
template <class V, class Term>
struct knowledge {
  sums<V, Term> s;
  normaliser<V> base{};
  start_type<V, Term> start{};
  bundle<V, later_size<Term>> later{};
  bundle<V, close_size<Term>> close{};
};

HONE_NO_EXEC_CHECK template <class V, class Term, int... I>
HONE_HD auto finish_with(Term const& term, knowledge<V, Term> const& k, std::integer_sequence<int, I...>) {
  constexpr bool takes = requires { term.finish(told<I>(k.s, k.base)...); };
  static_assert(takes, "row term: finish must take what `statistics` lists, in its order: see loss/row/term.hpp");
  if constexpr (takes) return term.finish(told<I>(k.s, k.base)...);
}
HONE_NO_EXEC_CHECK template <class V, class Term>
HONE_HD auto finish_of(Term const& term, knowledge<V, Term> const& k) {
  if constexpr (later_size<Term> > 0 && close_size<Term> > 0) {
    return term.finish(k.start, k.later, k.close);
  } else if constexpr (later_size<Term> > 0) {
    return term.finish(k.start, k.later);
  } else if constexpr (close_size<Term> > 0) {
    return term.finish(k.start, k.close);
  } else {
    return finish_with(term, k, std::make_integer_sequence<int, count_of<Term>>());
  }
}
template <class V, class Term>
using result_type = decltype(finish_of(std::declval<Term const&>(), std::declval<knowledge<V, Term> const&>()));

HONE_NO_EXEC_CHECK template <class V, class Term>
HONE_HD auto is_close_of(Term const& term, knowledge<V, Term> const& k) {
  if constexpr (later_size<Term> > 0) {
    return term.is_close(k.start, k.later);
  } else {
    return term.is_close(k.start);
  }
}
/// Calls close(s, e); if the sweep replaces a weight, stores it in e.
HONE_NO_EXEC_CHECK template <class V, class Term>
HONE_HD bundle<V, close_size<Term>> close_of(Term const& term, start_type<V, Term> const& start, element<V, Term>& e) {
  if constexpr (replaced_weights<Term> >= 0) {
    const replaced<V, close_size<Term>> r = term.close(start, static_cast<element<V, Term> const&>(e));
    e.weights[replaced_weights<Term>] = r.weight;
    return r.sums;
  } else {
    return term.close(start, static_cast<element<V, Term> const&>(e));
  }
}
/// Calls gradient(r, e), with the element in the form that a gradient may read.
HONE_NO_EXEC_CHECK template <class V, class Term, class Result>
HONE_HD V gradient_of(Term const& term, Result const& r, element<V, Term> const& e) {
  element<V, Term, true> in;
  in.logit = e.logit, in.teacher = e.teacher, in.target = e.target, in.listed = e.listed, in.column = e.column;
  for (std::size_t i = 0; i < e.size; ++i) in.weights[i] = e.weights[i], in.coordinates[i] = e.coordinates[i];
  if constexpr (Term::class_numbers > 0)
    for (int i = 0; i < Term::class_numbers; ++i) in.class_number[i] = e.class_number[i];
  return term.gradient(r, static_cast<element<V, Term, true> const&>(in));
}

/// Whether a gradient is multiplied once per row.
template <class V, class Term>
inline constexpr bool has_scaled =
    requires(Term const& term, result_type<V, Term> const& r, V factor) { term.scaled(r, factor); };

/// Whether the weights that a term's close sweep replaces, if it replaces any, are its own.
template <class Term>
inline constexpr bool replaces_own = replaced_weights<Term> < 0;
template <class Term>
  requires(replaced_weights<Term> >= 0)
inline constexpr bool replaces_own<Term> =
    is_softmax<statistic<replaced_weights<Term>, Term>> && !is_base<statistic<replaced_weights<Term>, Term>>;

/// Compiles a term on the type `lanes`, which allows only the operations that every operand has.
template <class Term>
void try_term(Term const& term) {
  using V = hone::detail::lanes;
  static_assert(replaces_own<Term>,
                "row term: close_sweep may replace the weights of a row::tempered, or of a row::softmax that is not "
                "shared by all terms");
  knowledge<V, Term> known;
  element<V, Term> e;
  each_statistic<Term>([&](auto i) { gather<i()>(V(1), e, known.s); });
  known.start = start_of(term, known.s, known.base);
  if constexpr (later_size<Term> > 0) known.later = term.later(known.start, e);
  if constexpr (close_size<Term> > 0) {
    static_cast<void>(is_close_of(term, known));
    known.close = close_of(term, known.start, e);
  }
  const auto result = finish_of(term, known);
  constexpr bool has_loss = requires { V(result.loss); };
  static_assert(has_loss, "row term: finish must return a struct with the row's `loss`");
  constexpr bool has_gradient = requires { V(gradient_of(term, result, e)); };
  static_assert(has_gradient, "row term: gradient must take what finish returned and an element, and return a number");
  if constexpr (has_gradient) static_cast<void>(gradient_of(term, result, e));
}
template <class Term>
inline constexpr bool is_tried = (static_cast<void>(&try_term<Term>), true);

}  // namespace row

/// A row term: has statistics, a finish and a gradient.
template <class T>
concept row_term = std::derived_from<T, row_term_base> && requires { typename T::statistics; } && row::is_tried<T>;

}  // namespace hone::inline HONE_ABI

#include <hone/core/macros_pop.hpp>
