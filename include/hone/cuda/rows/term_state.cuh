// SPDX-License-Identifier: MIT
/// The state of one term that a thread holds while it sweeps a row.
#pragma once

#include <hone/cuda/memory/divisor.cuh>
#include <hone/cuda/memory/views.cuh>
#include <hone/cuda/rows/team.cuh>
#include <hone/loss/row/term.hpp>
#include <hone/target/row_parts.hpp>

#include <limits>

#include <hone/core/macros_push.hpp>

namespace hone::inline HONE_ABI::on_cuda {

/// A constant, because nvcc rejects calls of std::numeric_limits on the device.
template <class T>
inline constexpr T lowest_number = std::numeric_limits<T>::lowest();

/// The number type of A, which may be one of hone's own operand types.
template <class A>
using number_of_operand = std::conditional_t<sizeof(A) == sizeof(float), float, double>;

/// Returns whether a class is allowed: its logit is above -inf.
template <class A>
__device__ bool is_allowed(A z) {
  return !(z < A(lowest_number<number_of_operand<A>>));
}

template <class S>
struct has_own_maximum : std::bool_constant<row::has_own_maximum<S>> {};

template <class A, class Leaf, int FirstView>
struct term_row {
  using Term = typename Leaf::term_type;
  using Target = detail::target_of_term<Term>;
  using element = row::element<A, Term>;
  static constexpr bool sparse = row::has_target<Term> && detail::is_sparse<Target>;
  static constexpr bool sums_full = row::sums_target<Term> && !sparse, sums_sparse = row::sums_target<Term> && sparse;
  static constexpr bool over_allowed = allowed_target<Target>;
  static constexpr bool wants_logits = sums_sparse && Target::has_uniform && !over_allowed;  // the sum of all logits
  static constexpr int target_place = row::target_place<Term>;
  static constexpr bool has_maxima = row::any_in<row::statistics_of<Term>, has_own_maximum>;
  static constexpr A lowest{lowest_number<number_of_operand<A>>};

  A weight = 0, scale = 0;    // factor · row weight, 0 if the row is skipped; and that times the reduction's factor
  A rate = 1;                 // 1 / temperature
  A now[element::size] = {};  // the maxima so far of statistics; sums are relative to known.s.max
  index row_index = 0;
  index class_numbers = 0;  // where those of the row's region begin
  bool is_close = false;
  A logit_at[Target::labels > 0 ? Target::labels : 1] = {};
  detail::row_parts<A, Target, int> parts;
  row::knowledge<A, Term> known{};
  row::result_type<A, Term> result{};

  /// Reads weights and target in one thread of each warp, and broadcasts them to the warp.
  template <class Team, class... All>
  __device__ void begin(Leaf const& leaf, detail::list<All...> const& leaves, A reduction, index i, index columns,
                        Team const& team, unsigned long long* invalid_labels) {
    row_index = i;
    weight = A(0);
    if (team.reads()) {
      weight = skips(leaf, leaves, i, columns) ? A(0) : leaf.template factor_of_row<A>(i);
      if constexpr (row::has_target<Term>) {
        parts = detail::row_parts<A, Target, int>(leaf.term.target, i, columns);
        const bool invalid = !leaf.term.target.ignores(i) & !leaf.term.target.labels_fit(i, columns);
        if (invalid && invalid_labels && team.rank() == 0) atomicAdd(invalid_labels, 1ULL);
      }
    }
    if constexpr (Term::class_numbers > 0) {
      if (team.reads()) class_numbers = i / leaf.term.table.rows * leaf.term.table.of_region;
      team.share(class_numbers);
    }
    team.share(weight);
    scale = weight * reduction;
    team.share(parts.ground);
#pragma unroll
    for (int j = 0; j < Target::labels; ++j) team.share(parts.label_at[j]), team.share(parts.weight_at[j]);
#pragma unroll
    for (int k = 0; k < Target::dense_parts; ++k) team.share(parts.dense_at[k]);
  }

  template <class Numbers, class Team>
  __device__ void read_label_logits(Numbers const& numbers, Team const& team) {
#pragma unroll
    for (int j = 0; j < Target::labels; ++j) {
      if (team.reads() && weight != A(0)) logit_at[j] = numbers.logit_at(parts.label_at[j]);  // else maybe not a class
      team.share(logit_at[j]);
    }
  }
  /// Computes Σ q and Σ q (z - max) from the labels and `logits`, which is Σ (z - max).
  __device__ void sum_labels(A max, A logits, A columns) {
    A &mass = known.s.sum[target_place], &dot = known.s.dot;
    mass = parts.ground * columns;
    dot = parts.ground == A(0) ? A(0) : parts.ground * logits;
#pragma unroll
    for (int j = 0; j < Target::labels; ++j) {
      const A w = parts.weight_at[j];
      mass += w;
      dot += w == A(0) ? A(0) : w * (logit_at[j] - max);
    }
  }

  /// Divides the ground among `classes` classes.
  __device__ void share_ground(A classes) { parts.ground = classes == A(0) ? A(0) : parts.ground / classes; }

  /// Prepares the gradient of the row, whose factors no class then needs to multiply by.
  __device__ void scale_gradient(Term const& term) {
    if constexpr (row::has_scaled<A, Term>) {
      result = term.scaled(result, scale);
      parts.ground = parts.ground * scale;
#pragma unroll
      for (int j = 0; j < Target::labels; ++j) parts.weight_at[j] = parts.weight_at[j] * scale;
#pragma unroll
      for (int k = 0; k < Target::dense_parts; ++k) parts.dense_at[k] = parts.dense_at[k] * scale;
    }
  }
  template <class E>
  __device__ A gradient_of(Term const& term, E const& e) const {
    const A g = row::gradient_of(term, result, e);
    return row::has_scaled<A, Term> ? g : scale * g;
  }

  /// Resets the state for a new row.
  __device__ void reset(Term const& term) {
    known = {}, is_close = false;
    row::each_statistic<Term>([&](auto k) {
      known.s.max[k()] = now[k()] = lowest;
      if constexpr (std::same_as<row::statistic<k(), Term>, row::number>)
        known.s.sum[k()] = row::number_of<A>(term, row_index);
    });
  }
  /// Updates the maxima by an element.
  template <class Element>
  __device__ void meet(Element const& h, Term const& term) {
    row::each_statistic<Term>([&](auto k) {
      using S = row::statistic<k(), Term>;
      if constexpr (row::has_own_maximum<S>) now[k()] = larger()(now[k()], row::maximum_part<S>(read(h, term), lowest));
    });
  }
  /// Calls f(maximum) for each maximum that belongs to this term alone.
  template <class F>
  __device__ void each_maximum(F const& f) {
    row::each_statistic<Term>([&](auto k) {
      if constexpr (row::has_own_maximum<row::statistic<k(), Term>>) f(now[k()]);
    });
  }
  /// Makes the sums relative to the maxima so far; `max` is the maximum of all logits.
  __device__ void set_maxima(A max) {
    row::each_statistic<Term>([&](auto k) {
      using S = row::statistic<k(), Term>;
      known.s.max[k()] = row::has_own_maximum<S> ? now[k()] : row::is_softmax_of<S, row::listed_numbers> ? A(0) : max;
    });
  }
  /// The same if there are sums already. The maximum of all logits rose by `of_all`; base is the sum of softmax<>.
  __device__ void rise(A max, A of_all, A base) {
    A rises[element::size] = {};
    row::each_statistic<Term>([&](auto k) {
      using S = row::statistic<k(), Term>;
      rises[k()] = row::has_own_maximum<S>                      ? now[k()] - known.s.max[k()]
                   : row::is_softmax_of<S, row::listed_numbers> ? A(0)
                                                                : of_all;
    });
    set_maxima(max);
    if constexpr (sums_full) {
      const A mass = known.s.sum[target_place];
      known.s.dot -= mass == A(0) ? A(0) : mass * of_all;
    }
    row::rise(rate, base, rises, known.s);
  }
  /// Adds an element to the sums; z is its logit minus the maximum, base is exp(z).
  template <class Element>
  __device__ void add(Element const& h, Term const& term, [[maybe_unused]] A z, [[maybe_unused]] A base) {
    if constexpr (sums_full || row::gathers<Term>) {
      element e = read(h, term);
      if constexpr (sums_full) {
        const A q = h.is_in_row() ? e.target : A(0);
        known.s.sum[target_place] += q;
        known.s.dot += q == A(0) ? A(0) : q * z;
      }
      row::each_statistic<Term>([&](auto k) {
        if constexpr (row::is_base<row::statistic<k(), Term>>) {
          e.weights[k()] = base;
        } else {
          row::gather<k()>(rate, e, known.s);
        }
      });
    }
  }
  /// Calls f(sum) for every sum of the first sweep.
  template <class F>
  __device__ void each_sum(F const& f) {
    if constexpr (sums_full) f(known.s.sum[target_place]), f(known.s.dot);
    row::each_gathered(known.s, f);
  }

  /// Returns element h of the row, without weights.
  template <class Element>
  __device__ element read(Element const& h, Term const& term) const {
    element e;
    e.logit = h.template number<0>();
    if constexpr (row::has_teacher<Term>) e.teacher = h.template number<FirstView>();
    if constexpr (row::has_target<Term>)
      e.target = target(h, term.target, std::make_index_sequence<Target::dense_parts>());
    if constexpr (row::has_list<Term>) e.listed = static_cast<A>(term.listed(row_index, h.column));
    if constexpr (row::needs_column<Term>) e.column = static_cast<A>(h.column);
    if constexpr (Term::class_numbers > 0)
#pragma unroll
      for (int k = 0; k < Term::class_numbers; ++k) {
        auto const* numbers = static_cast<number_of_operand<A> const*>(term.table.numbers);
        e.class_number[k] = h.is_in_row() ? A(numbers[class_numbers + k * term.table.of_number + h.column]) : A(0);
      }
    e.locate(known.s.max);
    return e;
  }
  /// The same with weights, which are recomputed because they would take too much room. `base` is that of softmax<>.
  template <class Element>
  __device__ element at(Element const& h, Term const& term, A base) const {
    element e = read(h, term);
    row::each_statistic<Term>([&](auto k) {
      using S = row::statistic<k(), Term>;
      if constexpr (row::is_base<S>) {
        e.weights[k()] = base;
      } else if constexpr (row::is_softmax<S>) {
        e.weights[k()] = row::weight_of<S>(e, e.coordinates[k()], rate);
      }
    });
    return e;
  }
  /// The same with the weights that the close sweep replaces.
  template <class Element>
  __device__ element at_last(Element const& h, Term const& term, A base) const {
    element e = at(h, term, base);
    if constexpr (row::replaced_weights<Term> >= 0)
      if (is_close && !is_excluded<typename Term::close_sweep::subset>(e)) row::close_of(term, known.start, e);
    return e;
  }

  /// Returns whether an element is certain not to be in a subset.
  template <class Subset>
  __device__ static bool is_excluded([[maybe_unused]] element const& e) {
    if constexpr (requires { Subset::excludes(e); }) return Subset::excludes(e);
    return false;
  }

 private:
  template <class Element>
  __device__ static bool is_at(Element const& h, int column) {
    if constexpr (requires { h.is_at(column); }) return h.is_at(column);
    return h.column == column;
  }
  template <class Element, std::size_t... K>
  __device__ A target(Element const& h, Target const& target, std::index_sequence<K...>) const {
    A q = parts.ground;
    if constexpr (over_allowed)
      if (!is_allowed(A(h.template number<0>()))) q = A(0);
    ((q += parts.dense_at[K] * h.template number<FirstView + int(row::has_teacher<Term>) + int(K)>()), ...);
    if constexpr (!requires { Element::is_unlabelled; })
#pragma unroll
      for (int j = 0; j < Target::labels; ++j)
        if (is_at(h, parts.label_at[j])) q += parts.weight_at[j];
    if constexpr (weighed_target<Target> && !sparse)
      q *= h.is_in_row() ? target.weights.template as<A>(h.column) : A(0);
    return q;
  }
};

/// A term_row for every term of an objective.
template <class A, int FirstView, class... Leaf>
struct term_rows {
  using type = detail::list<>;
};
template <class A, int FirstView, class First, class... Tail>
struct term_rows<A, FirstView, First, Tail...> {
  using tail = typename term_rows<A, FirstView + view_count<typename First::term_type>, Tail...>::type;
  using type =
      decltype(detail::concatenated(detail::list<term_row<A, First, FirstView>>(), std::declval<tail const&>()));
};

}  // namespace hone::inline HONE_ABI::on_cuda

#include <hone/core/macros_pop.hpp>
