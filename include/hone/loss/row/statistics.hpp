// SPDX-License-Identifier: MIT
/// The statistics of a row that a term may request. A term lists them as types; a backend computes those of all terms
/// of an objective in one sweep (loss/row/gather.hpp), without knowing any term.
#pragma once

#include <hone/core/number.hpp>
#include <hone/core/operand.hpp>

#include <cmath>
#include <concepts>
#include <type_traits>

#include <hone/core/macros_push.hpp>

namespace hone::inline HONE_ABI::row {

// ---- sources of the numbers of a softmax

struct logits {};
struct teacher {};         ///< the term's member `teacher`, a view of logits
struct listed_numbers {};  ///< log-probabilities of a few classes, see loss/row/term.hpp

// ---- subsets of the classes

/// A subset defines its elements by holds(e) or by excludes(e), from e's target, teacher or listed number. Some subsets
/// have their own maximum, because their weights would vanish beside a class outside with a much larger logit.
struct all {
  static constexpr bool own_maximum = false;
};
struct labelled {
  static constexpr bool own_maximum = false;
  template <class E>
  HONE_HD static auto excludes(E const& e) noexcept {
    return e.target == typename E::number(0);
  }
};
struct unlabelled {
  static constexpr bool own_maximum = true;
  template <class E>
  HONE_HD static auto holds(E const& e) noexcept {
    return e.target == typename E::number(0);
  }
};
struct listed {
  static constexpr bool own_maximum = false;
  template <class E>
  HONE_HD static auto excludes(E const& e) noexcept {
    return e.listed > typename E::number(0);
  }
};
struct unlisted {
  static constexpr bool own_maximum = true;
  template <class E>
  HONE_HD static auto holds(E const& e) noexcept {
    return e.listed > typename E::number(0);
  }
};
/// The classes that the teacher allows: those whose teacher logit is above -inf.
struct taught {
  static constexpr bool own_maximum = true;
  template <class E>
  HONE_HD static auto excludes(E const& e) noexcept {
    return e.teacher == typename E::number(-HUGE_VAL);
  }
};

// ---- statistics

/// Weights exp(x - max), 0 outside the subset, and their sum. The maximum is that of all classes of the source, or that
/// of the subset if the subset has its own; for listed numbers it is 0.
template <class Source = logits, class Subset = all>
struct softmax {
  using source = Source;
  using subset = Subset;
  static constexpr bool has_temperature = false;
};
/// The same with exp((x - max) / temperature); `temperature` is a member of the term.
template <class Source = logits, class Subset = all>
struct tempered {
  using source = Source;
  using subset = Subset;
  static constexpr bool has_temperature = true;
};
/// Σ w x over the weights w of statistic I; a weight of 0 contributes 0.
template <int I, class X>
struct total {
  static constexpr int weights = I;
  using x = X;
};
/// Σ q and Σ q (z - max) of the term's target.
struct target {};
/// A number per row, from the term's row_number(i).
struct number {};

// ---- the x of a total; coordinate I is the logit of statistic I minus its maximum

template <int I>
struct coordinate {};
template <int I, int J>
struct difference {};  ///< coordinate I - coordinate J
struct column {};

/// The statistics of a term, in the order in which start or finish receives them.
template <class... S>
struct list {
  static constexpr int size = sizeof...(S);
};

/// A later sweep of a term: sums N numbers per element over the classes of a subset. It may replace the weights of
/// statistic `Replaces` in the gradient.
template <int N, class Subset = all, int Replaces = -1>
struct sweep {
  using subset = Subset;
  static constexpr int size = N, replaces = Replaces;
};

// ---- results of statistics, as a term receives them

/// The result of softmax<>: logsumexp = max + log_sum.
template <class V>
struct normaliser {
  V max, sum, log_sum, inverse;  ///< inverse = 1 / sum
};
/// The result of every other softmax or tempered.
template <class V>
struct exponentials {
  V max, sum;
};
template <class V>
struct target_sums {
  V mass, dot;  ///< Σ q, and Σ q (z - max); a q of 0 contributes 0 even if z is -inf
};

// ---- traits

template <class S>
inline constexpr bool is_softmax = requires { S::has_temperature; };
template <class S>
inline constexpr bool is_base = std::same_as<S, softmax<>>;  ///< all terms share its weights
template <class S>
inline constexpr bool is_total = requires { typename S::x; };
template <class S, class Source>
inline constexpr bool is_softmax_of = false;
template <class S, class Source>
  requires is_softmax<S>
inline constexpr bool is_softmax_of<S, Source> = std::same_as<typename S::source, Source>;

template <int I, class List>
struct nth;
template <int I, class First, class... Tail>
struct nth<I, list<First, Tail...>> : nth<I - 1, list<Tail...>> {};
template <class First, class... Tail>
struct nth<0, list<First, Tail...>> {
  using type = First;
};

template <class Term>
using statistics_of = typename Term::statistics;
template <class Term>
inline constexpr int count_of = statistics_of<Term>::size;
template <int I, class Term>
using statistic = typename nth<I, statistics_of<Term>>::type;

template <class List, template <class> class Test>
inline constexpr bool any_in = false;
template <class... S, template <class> class Test>
inline constexpr bool any_in<list<S...>, Test> = (Test<S>::value || ...);

/// How often a term lists a statistic.
template <class S, class Term>
inline constexpr int lists = []<class... Of>(list<Of...>*) {
  return (int(std::same_as<S, Of>) + ... + 0);
}(static_cast<statistics_of<Term>*>(nullptr));

template <class S>
struct is_base_type : std::bool_constant<is_base<S>> {};
template <class S>
struct is_target_type : std::is_same<S, target> {};

/// Whether a term reads softmax<>; whether it requests the sums of its target.
template <class Term>
inline constexpr bool reads_softmax = any_in<statistics_of<Term>, is_base_type>;
template <class Term>
inline constexpr bool sums_target = any_in<statistics_of<Term>, is_target_type>;

/// The index of the target's sums in a term's statistics, or 0 if there is none.
template <class Term>
inline constexpr int target_place = [] {
  int place = 0;
  [&]<class... S>(list<S...>*) {
    int i = 0;
    ((place = std::same_as<S, target> ? i : place, ++i), ...);
  }(static_cast<statistics_of<Term>*>(nullptr));
  return place;
}();

/// Whether a statistic is summed element by element for its term alone.
template <class S>
inline constexpr bool is_gathered = is_total<S> || (is_softmax<S> && !is_base<S>);
template <class S>
struct is_gathered_type : std::bool_constant<is_gathered<S>> {};
/// Whether a term has sums beside those of softmax<> and its target.
template <class Term>
inline constexpr bool gathers = any_in<statistics_of<Term>, is_gathered_type>;

/// Whether a statistic is a total over the weights of softmax<>; whether a term has such a statistic.
template <class S, class Term>
inline constexpr bool is_total_of_base = false;
template <class S, class Term>
  requires is_total<S>
inline constexpr bool is_total_of_base<S, Term> = is_base<statistic<S::weights, Term>>;
template <class Term>
inline constexpr bool totals_base = []<class... S>(list<S...>*) {
  return (is_total_of_base<S, Term> || ...);
}(static_cast<statistics_of<Term>*>(nullptr));

template <class S>
    struct is_tempered_type : std::bool_constant < requires {
  requires S::has_temperature;
}>{};
template <class Term>
inline constexpr bool has_temperature = any_in<statistics_of<Term>, is_tempered_type>;

template <class Term>
inline constexpr bool has_target = requires(Term const& term) { term.target; };
template <class Term>
inline constexpr bool has_list = requires(Term const& term) { term.listed(index(0), index(0)); };
template <class Term>
inline constexpr bool has_teacher = requires(Term const& term) { term.teacher; } && !has_list<Term>;

/// Returns x in the lanes whose element is in the subset, `other` in the others.
template <class Subset, class E, class V>
HONE_HD V if_in([[maybe_unused]] E const& e, V x, [[maybe_unused]] V other) noexcept {
  if constexpr (std::same_as<Subset, all>) {
    return x;
  } else if constexpr (requires { Subset::holds(e); }) {
    return select(Subset::holds(e), x, other);
  } else {
    return select(Subset::excludes(e), other, x);
  }
}

}  // namespace hone::inline HONE_ABI::row

#include <hone/core/macros_pop.hpp>
