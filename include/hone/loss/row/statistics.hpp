// SPDX-License-Identifier: MIT
/// What a row term asks to know of a row. A term lists statistics as types; a backend gathers those of all terms of an
/// objective in one sweep (loss/row/gather.hpp), and knows no term.
#pragma once

#include <hone/core/number.hpp>
#include <hone/core/operand.hpp>

#include <cmath>
#include <concepts>
#include <type_traits>

#include <hone/core/macros_push.hpp>

namespace hone::inline HONE_ABI::row {

// ---- where the numbers of a softmax come from

struct logits {};
struct teacher {};         ///< the term's member `teacher`, a view of logits
struct listed_numbers {};  ///< log-probabilities of a few classes, see loss/row/term.hpp

// ---- which classes

/// A subset says by holds(e), or by excludes(e), which elements it has, from e's target, teacher or listed number. Some
/// have a maximum of their own, because they would vanish beside a class that is far above them.
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
/// The classes that the teacher allows: its logit is above -inf.
struct taught {
  static constexpr bool own_maximum = false;
  template <class E>
  HONE_HD static auto excludes(E const& e) noexcept {
    return e.teacher == typename E::number(-HUGE_VAL);
  }
};

// ---- statistics

/// Weights exp(x - max) of the classes of a subset, 0 of others, and their sum. The maximum is that of all classes of
/// the source, or of the subset if it has its own; that of listed numbers is 0.
template <class Source = logits, class Subset = all>
struct softmax {
  using source = Source;
  using subset = Subset;
  static constexpr bool has_temperature = false;
};
/// The same with exp((x - max) / temperature), by the term's member `temperature`.
template <class Source = logits, class Subset = all>
struct tempered {
  using source = Source;
  using subset = Subset;
  static constexpr bool has_temperature = true;
};
/// Σ w x over the weights w of statistic I, where a weight of 0 counts for 0.
template <int I, class X>
struct total {
  static constexpr int weights = I;
  using x = X;
};
/// Σ q and Σ q (z - max) of the term's target.
struct target {};
/// A number of the row, from the term's row_number(i).
struct number {};

// ---- what a total is of; coordinate I is the logit of statistic I less its maximum

template <int I>
struct coordinate {};
template <int I, int J>
struct difference {};  ///< coordinate I - coordinate J
struct column {};

/// A term's statistics, in the order in which it receives them.
template <class... S>
struct list {
  static constexpr int size = sizeof...(S);
};

/// A later sweep of a term: it returns N sums, over the classes of a subset. It may replace the weights of statistic
/// `Replaces` for the gradient.
template <int N, class Subset = all, int Replaces = -1>
struct sweep {
  using subset = Subset;
  static constexpr int size = N, replaces = Replaces;
};

// ---- what a term receives

/// Of softmax<>: logsumexp = max + log_sum.
template <class V>
struct normaliser {
  V max, sum, log_sum, inverse;  ///< inverse = 1 / sum
};
/// Of every other softmax or tempered.
template <class V>
struct exponentials {
  V max, sum;
};
template <class V>
struct target_sums {
  V mass, dot;  ///< Σ q, and Σ q (z - max), where a q of 0 counts for 0 even if z is -inf
};

// ---- traits

template <class S>
inline constexpr bool is_softmax = requires { S::has_temperature; };
template <class S>
inline constexpr bool is_base = std::same_as<S, softmax<>>;  ///< whose weights all terms share
template <class S>
inline constexpr bool is_total = requires { typename S::x; };
template <class S, class Source>
inline constexpr bool is_softmax_of = false;
template <class S, class Source>
  requires is_softmax<S>
inline constexpr bool is_softmax_of<S, Source> = std::same_as<typename S::source, Source>;

template <int I, class List>
struct nth;
template <int I, class First, class... Rest>
struct nth<I, list<First, Rest...>> : nth<I - 1, list<Rest...>> {};
template <class First, class... Rest>
struct nth<0, list<First, Rest...>> {
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

template <class S>
struct is_base_type : std::bool_constant<is_base<S>> {};
template <class S>
struct is_target_type : std::is_same<S, target> {};

/// Whether a term reads softmax<>, or asks for the sums of its target.
template <class Term>
inline constexpr bool reads_softmax = any_in<statistics_of<Term>, is_base_type>;
template <class Term>
inline constexpr bool sums_target = any_in<statistics_of<Term>, is_target_type>;

/// The place of its target's sums in a term's statistics, or 0.
template <class Term>
inline constexpr int target_place = [] {
  int place = 0;
  [&]<class... S>(list<S...>*) {
    int i = 0;
    ((place = std::same_as<S, target> ? i : place, ++i), ...);
  }(static_cast<statistics_of<Term>*>(nullptr));
  return place;
}();

/// Whether a statistic is summed up element by element for its term alone.
template <class S>
inline constexpr bool is_gathered = is_total<S> || (is_softmax<S> && !is_base<S>);
template <class S>
struct is_gathered_type : std::bool_constant<is_gathered<S>> {};
/// Whether a term has more to be summed up than softmax<> and its target.
template <class Term>
inline constexpr bool gathers = any_in<statistics_of<Term>, is_gathered_type>;

/// Whether a statistic is a total over the weights of softmax<>, and whether a term has one.
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

/// Whether x is in the subset: x where it is, other elsewhere.
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
