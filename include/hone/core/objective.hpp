// SPDX-License-Identifier: MIT
/// The argument of evaluate: terms, their sums, and the factors and row weights that multiply them. An objective is a
/// value that holds hyper-parameters and views of the caller's data, but no buffers and no state.
#pragma once

#include <hone/core/config.hpp>
#include <hone/core/error.hpp>
#include <hone/core/list.hpp>
#include <hone/core/numbers.hpp>

#include <concepts>

#include <hone/core/macros_push.hpp>

namespace hone::inline HONE_ABI {

/// The base class of everything that can be an operand of a sum.
struct objective_base {};

template <class O>
concept objective = std::derived_from<O, objective_base>;

template <objective O>
struct scaled : objective_base {
  O inner;
  double factor;

  scaled(O inner_, double factor_) : inner(inner_), factor(factor_) {}
};

template <objective First, objective Second>
struct summed : objective_base {
  First first;
  Second second;

  summed(First first_, Second second_) : first(first_), second(second_) {}
};

template <objective O>
struct row_weighed : objective_base {
  O inner;
  numbers weights;

  row_weighed(O inner_, numbers weights_) : inner(inner_), weights(weights_) {}
};

/// A factor that is read when the objective is evaluated, from memory that may not be readable on the host.
template <objective O>
struct scaled_later : objective_base {
  O inner;
  numbers factor;

  scaled_later(O inner_, numbers factor_) : inner(inner_), factor(factor_) {}
};

/// Multiplies an objective by a finite factor of any arithmetic type, hone::real or hone::integer.
template <objective O>
scaled<O> operator*(scalar auto factor, O const& o) {
  const auto f = static_cast<double>(factor);
  detail::require(detail::finite(f), "operator*", "factor", f, "finite");
  return {o, f};
}
template <objective O>
scaled<O> operator*(O const& o, scalar auto factor) {
  return factor * o;
}
/// Multiplies an objective by 1 / divisor. Both the divisor and 1 / divisor must be finite.
template <objective O>
scaled<O> operator/(O const& o, scalar auto divisor) {
  const auto d = static_cast<double>(divisor);
  detail::require(detail::finite(d) && detail::finite(1 / d), "operator/", "divisor", d,
                  "finite and not 0, and its inverse finite");
  return {o, 1 / d};
}
template <objective O>
scaled<O> operator-(O const& o) {
  return {o, -1};
}

/// Adds terms over the same prediction. They are evaluated together in one read of it.
template <objective First, objective Second>
summed<First, Second> operator+(First const& first, Second const& second) {
  return {first, second};
}
template <objective First, objective Second>
summed<First, scaled<Second>> operator-(First const& first, Second const& second) {
  return {first, -second};
}

/// Multiplies the loss of row i by weights[i]. The weights are viewed, not copied. They do not change mean's divisor.
template <class O, class Weights = numbers>
auto weigh_rows(O o, Weights&& weights) {
  static_assert(objective<O>,
                "weigh_rows: the first argument must be an objective, such as hone::cross_entropy(target)");
  static_assert(detail::makes_numbers<Weights>,
                "weigh_rows: the weights must be a std::vector, std::span or Eigen vector of float or double");
  if constexpr (!objective<O> || !detail::makes_numbers<Weights>) {
    return o;  // suppresses further errors of the compiler
  } else {
    return row_weighed<O>(o, numbers(static_cast<Weights&&>(weights)));
  }
}

namespace detail {

/// A term of an objective with its factors and row weights: the unit of work of a backend.
template <class Term, int Weights>
struct leaf {
  using term_type = Term;
  static constexpr int weight_count = Weights;

  Term term;
  double factor = 1;
  numbers weights[std::size_t(Weights > 0 ? Weights : 1)] = {};

  void check_weight_sizes(index rows) const {
    for (int k = 0; k < Weights; ++k)
      if (!weights[k].is_repeated()) require_size(weights[k], rows, "weigh_rows weight", "row");
  }
  /// Returns the factor times the weights of row i, without the reduction.
  template <class A = double>
  HONE_HD A factor_of_row(index i) const noexcept {
    A f = static_cast<A>(factor);
    for (int k = 0; k < Weights; ++k) f *= weights[k].template as<A>(i);
    return f;
  }
};

template <class Term, int Weights>
leaf<Term, Weights + 1> weighed_leaf(leaf<Term, Weights> const& from, numbers weights) {
  leaf<Term, Weights + 1> result{from.term, from.factor};
  for (int k = 0; k < Weights; ++k) result.weights[k] = from.weights[k];
  result.weights[Weights] = weights;
  return result;
}

template <class O>
auto leaves(scaled<O> const& o);
template <class O>
auto leaves(row_weighed<O> const& o);
template <class O>
auto leaves(scaled_later<O> const& o);
template <class First, class Second>
auto leaves(summed<First, Second> const& o);

/// True if an objective has a factor of scaled_later, which the host cannot read.
template <class O>
inline constexpr bool has_late_factor = false;
template <class O>
inline constexpr bool has_late_factor<scaled_later<O>> = true;
template <class O>
inline constexpr bool has_late_factor<scaled<O>> = has_late_factor<O>;
template <class O>
inline constexpr bool has_late_factor<row_weighed<O>> = has_late_factor<O>;
template <class First, class Second>
inline constexpr bool has_late_factor<summed<First, Second>> = has_late_factor<First> || has_late_factor<Second>;

/// Returns the leaves of an objective in the order in which they are written.
template <class Term>
auto leaves(Term const& term) {
  return list(leaf<Term, 0>{term});
}
template <class O>
auto leaves(scaled<O> const& o) {
  return leaves(o.inner).apply([&](auto... l) { return ((l.factor *= o.factor), ..., list(l...)); });
}
template <class O>
auto leaves(row_weighed<O> const& o) {
  return leaves(o.inner).apply([&](auto const&... l) { return list(weighed_leaf(l, o.weights)...); });
}
template <class O>
auto leaves(scaled_later<O> const& o) {
  return leaves(o.inner).apply([&](auto const&... l) { return list(weighed_leaf(l, o.factor)...); });
}
template <class First, class Second>
auto leaves(summed<First, Second> const& o) {
  return leaves(o.first).apply([&](auto const&... first) {
    return leaves(o.second).apply([&](auto const&... second) { return list(first..., second...); });
  });
}

}  // namespace detail
}  // namespace hone::inline HONE_ABI

#include <hone/core/macros_pop.hpp>
