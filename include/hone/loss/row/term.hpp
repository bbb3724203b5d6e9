// SPDX-License-Identifier: MIT
/// The role of a row term: a loss of a row of logits z, in up to three sweeps that a backend runs.
///
///   first sweep    over z - max z; a term may add to its sums and keep numbers per element
///   between        (if the term has it) a number of the row, from the first sums: s.given in all that follows
///   second sweep   (late > 0 only) with p = softmax(z) and the first sums known; a term may add to its late sums
///   refine         (fine > 0 only) a further sweep, for rows of which refines(s) holds: sums that would cancel are
///   taken
///                  again relative to what is known by now. It adds to its fine sums, and may change what was kept
///   finish         the row's loss, and what the gradient needs to know of the row
///   last sweep     the gradient of one element
/// Where a row is met in pieces (sums > 0), rebase(sums, rise, teacher_rise) makes the sums relative to maxima that
/// rose: of the logits, and of the teacher; and, as a fourth argument, of its rest where the term splits the classes. A
/// term without it has its rows read once more there.
///
/// A term that splits the classes says by rest(e), from q or t, which ones are its rest. The rest has a maximum of its
/// own, for it would vanish beside a class that is far above; the teacher's maximum is then that of the rest, too.
///
/// A term with a list knows numbers, at most 0, for some classes of a row: list(i, put) calls put(class, number) for
/// each, listed(i, class) returns it, or 1 where there is none, and given(i) is another number of the row. They are e.t
/// and s.of_list. check_shape and check_values as of targets.
///
/// All terms of an objective share the sweeps, the maximum and the softmax. V is a number on a GPU thread and
/// a pack on the CPU, whose lanes are classes of one row or the same class of several rows; a term cannot tell.
#pragma once

#include <hone/core/objective.hpp>
#include <hone/core/operand.hpp>

#include <hone/core/macros_push.hpp>

namespace hone::inline HONE_ABI {

/// One element of a row, as far as the sweep has come.
template <class V>
struct row_element {
  V z;             ///< logit - the row's maximum
  V p;             ///< softmax(z); known after the first sweep
  V q;             ///< the term's target, class weight included
  V t;             ///< teacher's logit - its maximum; or the listed number
  V kept[2] = {};  ///< what the term kept in the first sweep
  V column = {};   ///< its number in the row, where the term needs it
  V rest = {};     ///< logit - the maximum of the term's rest, where the term splits the classes
};

/// The sums over a row.
template <class V>
struct row_statistics {
  V max;           ///< of the logits; logsumexp = max + log_sum
  V log_sum;       ///< log Σ exp(z - max)
  V mass;          ///< Σ q
  V dot;           ///< Σ q (z - max), where a q of 0 counts for 0 even if z is -inf
  V rest_max;      ///< of the logits in the term's rest, finite; lowest where there are none
  V given;         ///< what between() returned
  V of_list;       ///< what a term with a list has of the row
  V sums[3] = {};  ///< the term's own, of the first sweep
  V late[2] = {};  ///< and of the second
  V fine[2] = {};  ///< and of refine(); of no use where refines(s) does not hold
};

/// Defaults of the properties that a backend asks for.
struct row_term_base : objective_base {
  static constexpr bool needs_softmax = true;
  static constexpr bool needs_logits = false;  ///< z in the last sweep
  static constexpr bool needs_column = false;
  static constexpr bool splits = false;  ///< rest(e) is asked before the first sweep, which then knows q
  static constexpr bool has_target = false;
  static constexpr bool has_teacher = false;
  static constexpr bool has_list = false;
  static constexpr int sums = 0, kept = 0, late = 0, fine = 0;
  static constexpr int tempered = -1;  ///< which kept number is exp((z - max) / temperature), if any
};

/// Whether e.t is of use.
template <class Term>
inline constexpr bool reads_teacher = Term::has_teacher || Term::has_list;

/// The sums and kept numbers fit the arrays above, and first(), which adds to the sums, runs (kept > 0).
template <class T>
concept row_term =
    std::derived_from<T, row_term_base> && (T::sums >= 0 && T::sums <= 3) && (T::kept >= 0 && T::kept <= 2) &&
    (T::late >= 0 && T::late <= 2) && (T::fine >= 0 && T::fine <= 2) && (T::sums == 0 || T::kept > 0) &&
    requires(T const& term, row_statistics<double> const& s, row_element<double> const& e) {
      { term.finish(s).loss } -> std::convertible_to<double>;
      { term.gradient(term.finish(s), e) } -> std::convertible_to<double>;
    };

}  // namespace hone::inline HONE_ABI

#include <hone/core/macros_pop.hpp>
