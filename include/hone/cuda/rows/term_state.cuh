// SPDX-License-Identifier: MIT
/// What a thread holds of one term while it sweeps a row.
#pragma once

#include <hone/cuda/memory/divisor.cuh>
#include <hone/cuda/memory/views.cuh>
#include <hone/target/row_parts.hpp>

#include <limits>

#include <hone/core/macros_push.hpp>

namespace hone::inline HONE_ABI::on_cuda {

/// Whether a term's sums can be made relative to a maximum that rose.
template <class Term, class A>
inline constexpr bool rebases = Term::sums == 0 || requires(Term const& term, A (&sums)[3], A rise) {
  term.rebase(sums, rise, rise);
} || requires(Term const& term, A (&sums)[3], A rise) { term.rebase(sums, rise, rise, rise); };

/// A constant, for nvcc refuses calls of std::numeric_limits on the device.
template <class T>
inline constexpr T lowest_number = std::numeric_limits<T>::lowest();

/// Whether a class is allowed: its logit is above -inf.
template <class A>
__device__ bool is_allowed(A z) {
  using number = std::conditional_t<sizeof(A) == sizeof(float), float, double>;  // A may be an operand of our own
  return !(z < A(lowest_number<number>));
}

template <class A, class Leaf, int FirstView>
struct leaf_row {
  using Term = typename Leaf::term_type;
  using Target = detail::target_of_term<Term>;
  static constexpr int first_view = FirstView;
  static constexpr bool sparse = Term::has_target && detail::is_sparse<Target>, full = Term::has_target && !sparse;
  static constexpr bool over_allowed = allowed_target<Target>;
  static constexpr bool wants_logits = sparse && Target::has_uniform && !over_allowed;  // their sum

  A weight = 0, scale = 0;       // factor · row weight, 0 where the row is skipped; and times that of the reduction
  A t_max = 0, t_now = 0;        // of the teacher: what the sums are relative to, and what has been met
  A rest_max = 0, rest_now = 0;  // of the logits in the rest of a term that splits the classes
  index row_index = 0;
  bool refined = false;  // the row's sums would cancel
  A logit_at[Target::labels > 0 ? Target::labels : 1] = {};
  detail::row_parts<A, Target, int> parts;
  row_statistics<A> s{};
  typename Term::template row<A> row{};

  /// Reads weights and target in one thread of each warp.
  template <class Team, class... All>
  __device__ void begin(Leaf const& leaf, detail::list<All...> const& leaves, A reduction, index i, index columns,
                        Team const& team, unsigned long long* invalid_labels) {
    row_index = i;
    if (team.reads()) {
      weight = skips(leaf, leaves, i, columns) ? A(0) : leaf.template factor_of_row<A>(i);
      if constexpr (Term::has_target) {
        parts = detail::row_parts<A, Target, int>(leaf.term.target, i, columns);
        const bool invalid = !leaf.term.target.ignores(i) & !leaf.term.target.labels_fit(i, columns);
        if (invalid && invalid_labels && team.rank() == 0) atomicAdd(invalid_labels, 1ULL);
      }
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
      if (team.reads() && weight != A(0)) logit_at[j] = numbers.logit_at(parts.label_at[j]);  // else it may be none
      team.share(logit_at[j]);
    }
  }
  /// Σ q and Σ q (z - max), from the labels and the sum of z - max.
  __device__ void sum_labels(A max, A logits, A columns) {
    s.mass = parts.ground * columns;
    s.dot = parts.ground == A(0) ? A(0) : parts.ground * logits;
#pragma unroll
    for (int j = 0; j < Target::labels; ++j) {
      const A w = parts.weight_at[j];
      s.mass += w;
      s.dot += w == A(0) ? A(0) : w * (logit_at[j] - max);
    }
  }

  /// Shares the ground among so many classes.
  __device__ void share_ground(A classes) { parts.ground = classes == A(0) ? A(0) : parts.ground / classes; }

  /// Element h of the row: its target and teacher.
  template <class Element>
  __device__ row_element<A> at(Element const& h, Term const& term, A z, A p) const {
    row_element<A> e{z, p, A(0), A(0), {A(0), A(0)}};
    if constexpr (Term::needs_column) e.column = static_cast<A>(h.column);
    if constexpr (Term::has_teacher) e.t = h.template number<FirstView>() - t_max;
    if constexpr (Term::has_target) e.q = target(h, term.target, std::make_index_sequence<Target::dense_parts>());
    if constexpr (Term::has_list) e.t = static_cast<A>(term.listed(row_index, h.column));
    if constexpr (Term::splits) e.rest = h.template number<0>() - rest_max;
    return e;
  }

  /// What the term keeps of an element, computed anew: it would take more room than time.
  __device__ void keep([[maybe_unused]] Term const& term, [[maybe_unused]] row_element<A>& e) const {
    if constexpr (Term::kept > 0) {
      A sums[3] = {};
      term.first(e, sums);
    }
    if constexpr (Term::fine > 0) {
      if (!refined) return;
      if constexpr (Term::has_list)
        if (term.rest(e)) return;
      A fine[2] = {};
      term.refine(e, s, fine);
    }
  }

 private:
  template <class Element, std::size_t... K>
  __device__ A target(Element const& h, Target const& target, std::index_sequence<K...>) const {
    A q = parts.ground;
    if constexpr (over_allowed)
      if (!is_allowed(A(h.template number<0>()))) q = A(0);
    ((q += parts.dense_at[K] * h.template number<FirstView + int(Term::has_teacher) + int(K)>()), ...);
#pragma unroll
    for (int j = 0; j < Target::labels; ++j) q += h.column == parts.label_at[j] ? parts.weight_at[j] : A(0);
    if constexpr (weighed_target<Target> && !sparse)
      q *= h.is_in_row() ? target.weights.template as<A>(h.column) : A(0);
    return q;
  }
};

/// A leaf_row for every leaf.
template <class A, int FirstView, class... Leaf>
struct leaf_rows {
  using type = detail::list<>;
};
template <class A, int FirstView, class First, class... Rest>
struct leaf_rows<A, FirstView, First, Rest...> {
  using rest = typename leaf_rows<A, FirstView + view_count<typename First::term_type>, Rest...>::type;
  using type =
      decltype(detail::concatenated(detail::list<leaf_row<A, First, FirstView>>(), std::declval<rest const&>()));
};

}  // namespace hone::inline HONE_ABI::on_cuda

#include <hone/core/macros_pop.hpp>
