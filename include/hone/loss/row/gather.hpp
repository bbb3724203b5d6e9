// SPDX-License-Identifier: MIT
/// The statistics of a row, element by element, for all backends; V is a number or a pack.
#pragma once

#include <hone/core/number.hpp>
#include <hone/loss/row/statistics.hpp>

#include <utility>

#include <hone/core/macros_push.hpp>

namespace hone::inline HONE_ABI::row {

/// The numbers of an element's class, for terms with class_numbers; other terms have none.
template <class V, int N>
struct numbers_of_class {
  V class_number[std::size_t(N)] = {};
};
template <class V>
struct numbers_of_class<V, 0> {};

/// An element of a row. Terms read it by the functions below, subsets by its members.
template <class V, class Term, bool InGradient = false>
struct element : numbers_of_class<V, Term::class_numbers> {
  using number = V;
  using term_type = Term;
  static constexpr bool in_gradient = InGradient;
  static constexpr std::size_t size = count_of<Term>;

  V logit = {}, teacher = {};  // unmodified
  V target = {};               // q, multiplied by the class weight
  V listed = {};               // the listed number, at most 0; 1 if the class is not listed
  V column = {};
  V weights[size] = {};      // of each softmax
  V coordinates[size] = {};  // the logit of each softmax minus its maximum

  /// Computes the coordinates.
  HONE_HD void locate(V const (&maxima)[size]) noexcept {
    [&]<int... I>(std::integer_sequence<int, I...>) {
      (locate<I>(maxima[I]), ...);
    }(std::make_integer_sequence<int, int(size)>());
  }

 private:
  template <int I>
  HONE_HD void locate(V max) noexcept {
    using S = statistic<I, Term>;
    if constexpr (is_softmax_of<S, listed_numbers>) {
      coordinates[I] = listed;
    } else if constexpr (is_softmax_of<S, row::teacher>) {
      coordinates[I] = teacher - max;
    } else if constexpr (is_softmax<S>) {
      coordinates[I] = logit - max;
    }
  }
};

// ---- functions by which a term reads an element

/// Returns exp((x - max) / temperature) of statistic I, or 0 outside its subset.
template <int I = 0, class V, class Term, bool G>
HONE_HD V weight(element<V, Term, G> const& e) noexcept {
  static_assert(is_softmax<statistic<I, Term>>,
                "row term: weight<I> reads statistic I of the term, which must be a row::softmax or row::tempered");
  return e.weights[I];
}
/// Returns x - max of statistic I.
template <int I = 0, class V, class Term, bool G>
HONE_HD V coordinate_of(element<V, Term, G> const& e) noexcept {
  static_assert(is_softmax<statistic<I, Term>>,
                "row term: coordinate_of<I> reads statistic I of the term, which must be a row::softmax or "
                "row::tempered");
  static_assert(!G || Term::gradient_reads_coordinates,
                "row term: a gradient that reads coordinate_of<I> needs gradient_reads_coordinates = true");
  return e.coordinates[I];
}
/// Returns the term's target, multiplied by the class weight.
template <class V, class Term, bool G>
HONE_HD V target_of(element<V, Term, G> const& e) noexcept {
  static_assert(has_target<Term>, "row term: target_of needs a member `target`");
  return e.target;
}
/// Returns the listed number, or 1 if the class is not listed.
template <class V, class Term, bool G>
HONE_HD V listed_number(element<V, Term, G> const& e) noexcept {
  static_assert(has_list<Term>, "row term: listed_number needs a member listed(row, column)");
  return e.listed;
}
/// Returns the class of the element.
template <class V, class Term, bool G>
HONE_HD V column_of(element<V, Term, G> const& e) noexcept {
  static_assert(Term::reads_column, "row term: column_of needs reads_column = true");
  return e.column;
}
/// Returns number I of the element's class in the term's table.
template <int I = 0, class V, class Term, bool G>
HONE_HD V class_number(element<V, Term, G> const& e) noexcept {
  static_assert(I < Term::class_numbers, "row term: class_number<I> needs class_numbers > I and a member `table`");
  return e.class_number[I];
}

// ---- sums

/// The place of a statistic in a list; place() is I. (std::integral_constant has no functions of a device.)
template <int I>
struct place {
  HONE_HD constexpr int operator()() const noexcept { return I; }
};
HONE_NO_EXEC_CHECK template <class Body, int... I>
HONE_HD constexpr void each_index(Body const& body, std::integer_sequence<int, I...>) {
  (body(place<I>()), ...);
}
/// Calls body(place<I>) for each statistic of a term.
HONE_NO_EXEC_CHECK template <class Term, class Body>
HONE_HD constexpr void each_statistic(Body const& body) {
  each_index(body, std::make_integer_sequence<int, count_of<Term>>());
}

/// The sums of a row for one term; index I belongs to statistic I.
template <class V, class Term>
struct sums {
  static constexpr std::size_t size = count_of<Term>;

  V max[size];
  V sum[size];  // Σ w; Σ w x; Σ q; or the row's number
  V dot;        // Σ q (z - max)

  /// All sums are 0. Sets them one by one: g++ would clear the memory of the struct by halves of a pack.
  HONE_HD sums() noexcept : dot(V(0)) {
    each_statistic<Term>([this](auto i) { max[i()] = sum[i()] = V(0); });
  }
};

/// Whether a statistic has a maximum that no other term shares: of the teacher, or of a subset.
template <class S>
inline constexpr bool has_own_maximum = false;
template <class S>
  requires is_softmax<S>
inline constexpr bool has_own_maximum<S> = !std::same_as<typename S::source, listed_numbers> &&
                                           (S::subset::own_maximum || std::same_as<typename S::source, teacher>);

/// Returns the number whose maximum statistic I needs: the element's, or `lowest` outside the subset.
template <class S, class V, class Term>
HONE_HD V maximum_part(element<V, Term> const& e, V lowest) noexcept {
  const V x = std::same_as<typename S::source, teacher> ? e.teacher : e.logit;
  if constexpr (S::subset::own_maximum)
    return if_in<typename S::subset>(e, x, lowest);
  else
    return x;
}

template <class S, class V, class Term>
HONE_HD V weight_of(element<V, Term> const& e, V coordinate, V rate) noexcept {
  if constexpr (S::subset::own_maximum) coordinate = min(coordinate, V(0));
  if constexpr (std::same_as<typename S::source, listed_numbers>) coordinate = min(coordinate, V(0));
  V x;
  if constexpr (!S::has_temperature)
    x = exp_of_nonpositive(coordinate);
  else if constexpr (requires { exp_of_nonpositive(coordinate, rate); })
    x = exp_of_nonpositive(coordinate, rate);
  else
    x = exp_of_nonpositive(coordinate * rate);
  return if_in<typename S::subset>(e, x, V(0));
}

/// Returns x of a total. Clamps infinite coordinates, because a NaN would raise an exception.
template <class V, class Term, int I>
HONE_HD V total_of(element<V, Term> const& e, int, coordinate<I>) noexcept {
  return e.coordinates[I];
}
template <class V, class Term, int I, int J>
HONE_HD V total_of(element<V, Term> const& e, int weights, difference<I, J>) noexcept {
  const V finite(-3e38);
  return weights == I ? max(e.coordinates[I], finite) - e.coordinates[J]
                      : e.coordinates[I] - max(e.coordinates[J], finite);
}
template <class V, class Term>
HONE_HD V total_of(element<V, Term> const& e, int, column) noexcept {
  return e.column;
}

/// Returns whether x is what a total over the weights of statistic I can be of.
template <class Term>
HONE_HD constexpr bool fits_total_of(column, int) {
  return true;
}
template <class Term, int J>
HONE_HD constexpr bool fits_total_of(coordinate<J>, int) {
  return is_softmax<statistic<J, Term>>;
}
template <class Term, int J, int K>
HONE_HD constexpr bool fits_total_of(difference<J, K>, int weights) {
  return is_softmax<statistic<J, Term>> && is_softmax<statistic<K, Term>> && (weights == J || weights == K);
}

/// Adds an element to statistic I and stores its weight in e. softmax<> is left out: the backend computes it.
template <int I, class V, class Term>
HONE_HD void gather([[maybe_unused]] V rate, element<V, Term>& e, sums<V, Term>& s) noexcept {
  using S = statistic<I, Term>;
  if constexpr (is_softmax<S> && !is_base<S>) {
    e.weights[I] = weight_of<S>(e, e.coordinates[I], rate);
    s.sum[I] = s.sum[I] + e.weights[I];
  } else if constexpr (is_total<S>) {
    static_assert(
        S::weights < I && is_softmax<statistic<S::weights, Term>> && fits_total_of<Term>(typename S::x(), S::weights),
        "row term: total<I, x> needs a softmax at place I, before it in the list; x is the column, a "
        "coordinate of a softmax, or the difference of two, one of which is I");
    const V w = e.weights[S::weights];
    s.sum[I] = s.sum[I] + w * zero_where(w == V(0), total_of(e, S::weights, typename S::x()));
  }
}

/// Calls f(sum) for every sum that gather adds to.
HONE_NO_EXEC_CHECK template <class V, class Term, class F>
HONE_HD void each_gathered([[maybe_unused]] sums<V, Term>& s, [[maybe_unused]] F const& f) {
  each_statistic<Term>([&](auto i) {
    if constexpr (is_gathered<statistic<i(), Term>>) f(s.sum[i()]);
  });
}

/// `rise` rescales the sums to maxima that rose by rises[I]. `base` is the sum of softmax<> so far.
template <class V>
HONE_HD V shift_of(V const*, column) noexcept {
  return V(0);
}
template <class V, int I>
HONE_HD V shift_of(V const* rises, coordinate<I>) noexcept {
  return -rises[I];
}
template <class V, int I, int J>
HONE_HD V shift_of(V const* rises, difference<I, J>) noexcept {
  return rises[J] - rises[I];
}
template <class V, class Term>
HONE_HD void rise(V rate, V base, V const (&rises)[count_of<Term>], sums<V, Term>& s) noexcept {
  const auto factor = [&](auto i) {
    return exp_of_nonpositive(statistic<i(), Term>::has_temperature ? -rises[i()] * rate : -rises[i()]);
  };
  each_statistic<Term>([&](auto i) {  // totals first, because they need the old sums
    using S = statistic<i(), Term>;
    if constexpr (is_total<S>) {
      const place<S::weights> of;
      const V by = factor(of), sum = is_base<statistic<of(), Term>> ? base : s.sum[of()];
      s.sum[i()] = select(by * sum == V(0), V(0), by * (s.sum[i()] + sum * shift_of(rises, typename S::x())));
    }
  });
  each_statistic<Term>([&](auto i) {
    using S = statistic<i(), Term>;
    if constexpr (is_softmax<S> && !is_base<S> && !is_softmax_of<S, listed_numbers>)
      s.sum[i()] = s.sum[i()] * factor(i);
  });
}

}  // namespace hone::inline HONE_ABI::row

#include <hone/core/macros_pop.hpp>
