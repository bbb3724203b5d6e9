// SPDX-License-Identifier: MIT
/// The loops over a group of rows. They are free functions of values and plain pointers, the same for wide and tall
/// groups. If lanes are classes, the caller adds up the sums over the lanes afterwards.
#pragma once

#include <hone/cpu/rows/term_state.hpp>
#include <hone/cpu/simd/math.hpp>

#include <algorithm>

#include <hone/core/macros_push.hpp>

namespace hone::inline HONE_ABI::on_cpu {

template <class... Term>
inline constexpr bool any_softmax = (row::reads_softmax<Term> || ...);

/// True if a statistic is the tempered weights of all logits, of which the weights of softmax<> may be a power.
template <class S>
struct is_tempered_logits : std::is_same<S, row::tempered<row::logits>> {};
template <class... Term>
inline constexpr bool any_tempered = (row::any_in<row::statistics_of<Term>, is_tempered_logits> || ...);

/// The strips that all terms share.
template <class A>
struct shared_strips {
  A const* z;         // logits
  A* e;               // exp(z - max), unless it is a power of a term's weights:
  A const* power_of;  // exp((z - max) / 2^squarings), or null
  int squarings;
  index packs;
  index tail;  // the number of lanes of the last pack that hold classes; 0 if all do
  next_row next;
  bool tall;  // lanes are rows, not classes

  /// Returns the class numbers of the pack at element i.
  pack<A> columns(index i) const noexcept {
    using V = pack<A>;
    const index column = i / V::size;
    return tall ? V(static_cast<A>(column)) : lane_numbers<A>() + V(static_cast<A>(i));
  }
  /// Returns exp(z - max), after the first sweep. `Powers`: true if it may be a power of a term's weights.
  template <bool Powers>
  pack<A> exponential(index i) const noexcept {
    if (!Powers || !power_of) return pack<A>::load(e + i);
    return power(pack<A>::load(power_of + i));
  }
  pack<A> power(pack<A> x) const noexcept {
    for (int k = 0; k < squarings; ++k) x = x * x;
    return x;
  }
};

template <class A>
pack<A> largest_of(A const* z, index packs) noexcept {
  using V = pack<A>;
  V a = V::load(z), b = a;
  index i = 1;
  for (; i + 2 <= packs; i += 2) {
    a = max(a, V::load(z + i * V::size));
    b = max(b, V::load(z + (i + 1) * V::size));
  }
  if (i < packs) b = max(b, V::load(z + i * V::size));
  return max(a, b);
}

/// Sums are accumulated over stretches of this many packs, and these over this many stretches, because one accumulator
/// over a row of 100,000 would lose four digits.
inline constexpr index stretch_packs = 64;

template <class V>
struct softmax_sums {
  V exponentials, logits;
};

/// Adds the element at i to the sums of a term and stores the element's weights. `OfBase`: true for totals over
/// softmax<>, false for all other statistics.
template <bool OfBase, class A, class Term>
void gather(first_part<A, Term>& part, shared_strips<A> const& strips, index i, pack<A> logit, pack<A> base) noexcept {
  using V = pack<A>;
  row::element<V, Term> e = part.in.template read<true>(i, logit, strips.columns(i));
  row::each_statistic<Term>([&](auto k) {
    using S = row::statistic<k(), Term>;
    constexpr bool of_base = row::is_total_of_base<S, Term>;
    if constexpr (row::is_base<S>) {
      e.weights[k()] = base;
    } else if constexpr (row::is_softmax<S> && !OfBase) {
      weight_strip<A> const& strip = part.in.weights[k()];
      if (strip.borrowed) {
        e.weights[k()] = V::load(strip.data + i);
        part.s.sum[k()] += e.weights[k()];
      } else {
        row::gather<k()>(part.in.rate, e, part.s);
        e.weights[k()].store(strip.data + i);
      }
    } else if constexpr (of_base == OfBase) {
      row::gather<k()>(part.in.rate, e, part.s);
    }
  });
}

/// Returns Σ exp(z - max) and Σ (z - max), stores the exponentials, and gathers the statistics of every term.
template <class A, class... Term>
softmax_sums<pack<A>> first_sweep(detail::list<leaf_state<A, Term>...>& leaves, shared_strips<A> const strips,
                                  pack<A> const row_max) noexcept {
  using V = pack<A>;
  auto parts = leaves.apply([](auto const&... l) { return detail::list(first_part(l)...); });
  V total(0), logits(0);
  softmax_sums<V> sums{V(any_softmax<Term...> ? 0 : 1), V(0)};  // it is a divisor, also without a softmax
  bool first = true;

  const auto step = [&](index i, V logit, V z, V z_or_0) {
    parts.each([&]<class T>([[maybe_unused]] first_part<A, T>& l) {
      if constexpr (sums_full_target<T>) {
        l.in.q.next.prefetch(i);
        const V q = l.in.q.at(i);
        l.s.sum[row::target_place<T>] += q;
        l.s.dot += q * zero_where(q == V(0), z);
      }
      if constexpr (row::has_teacher<T> && row::gathers<T>) l.in.t_next.prefetch(i);
      if constexpr (row::gathers<T>) gather<false>(l, strips, i, logit, V(0));
    });
    if constexpr (any_softmax<Term...>) {
      V e;
      if (any_tempered<Term...> && strips.power_of) {
        e = strips.power(V::load(strips.power_of + i));
      } else {
        e = exp_of_nonpositive(z);
        e.store(strips.e + i);
      }
      total += e;
      parts.each([&]<class T>([[maybe_unused]] first_part<A, T>& l) {
        if constexpr (row::totals_base<T>) gather<true>(l, strips, i, logit, e);
      });
    }
    if constexpr ((wants_sum_of_logits<Term> || ...)) logits += z_or_0;
  };

  const index full = (strips.packs - (strips.tail != 0)) * V::size;
  softmax_sums<V> of_stretches{V(0), V(0)};
  index stretches = 0;
  const auto give = [&] {
    [&]<std::size_t... I>(std::index_sequence<I...>) {
      (detail::at<I>(parts).give(detail::at<I>(leaves), first), ...);
    }(std::index_sequence_for<Term...>());
    first = false;
    sums.exponentials += of_stretches.exponentials, sums.logits += of_stretches.logits;
    of_stretches = {V(0), V(0)};
  };
  const auto end_stretch = [&] {
    parts.each([](auto& part) { part.end_stretch(); });
    of_stretches.exponentials += total, of_stretches.logits += logits;
    total = logits = V(0);
    if (++stretches % stretch_packs == 0) give();
  };
  for (index i = 0; i < full; end_stretch())
    for (const index end = std::min(i + stretch_packs * V::size, full); i < end; i += V::size) {
      strips.next.prefetch(i);
      const V logit = V::load(strips.z + i), z = logit - row_max;
      step(i, logit, z, z);
    }
  if (strips.tail != 0) {
    A valid[V::size];
    for (int lane = 0; lane < V::size; ++lane) valid[lane] = lane < strips.tail;
    const V logit = V::load(strips.z + full), z = logit - row_max;
    step(full, logit, z, zero_where(V::load(valid) == V(0), z));
    end_stretch();
  }
  give();
  return sums;
}

/// Returns true if no lane of an element is in a subset; false if this is not known.
template <class Subset, class E>
bool has_none([[maybe_unused]] E const& e) noexcept {
  if constexpr (requires { Subset::excludes(e); }) return all(Subset::excludes(e));
  return false;
}

/// Adds Σ body(element) over a group to `to`, one stretch at a time. Skips packs without classes of the subset.
template <class Subset, int N, bool Powers, class A, class Term, class Body>
void sum_elements(leaf_inputs<A, Term> const& in, shared_strips<A> const& strips, bundle<pack<A>, N>& to,
                  Body const& body) noexcept {
  using V = pack<A>;
  const index size = strips.packs * V::size;
  for (index i = 0; i < size;) {
    bundle<V, N> sums;
    for (int k = 0; k < N; ++k) sums[k] = V(0);
    for (const index end = std::min(i + stretch_packs * V::size, size); i < end; i += V::size) {
      V base(0);
      if constexpr (row::reads_softmax<Term>) base = strips.template exponential<Powers>(i);
      row::element<V, Term> e = in.template at<true>(i, V::load(strips.z + i), strips.columns(i), base);
      if (has_none<Subset>(e)) continue;
      const bundle<V, N> more = body(i, e);
      for (int k = 0; k < N; ++k) sums[k] += more[k];
    }
    for (int k = 0; k < N; ++k) to[k] += sums[k];
  }
}

/// Computes the sums of a term's later sweep.
template <bool Powers, class A, class Term>
void later_sweep(leaf_state<A, Term>& leaf, shared_strips<A> const strips) noexcept {
  using V = pack<A>;
  const leaf_inputs<A, Term> in = leaf;  // a copy, so that the compiler knows that no store changes it
  const row::start_type<V, Term> start = leaf.known.start;
  sum_elements<typename Term::later_sweep::subset, Term::later_sweep::size, Powers>(
      in, strips, leaf.known.later, [&](index, row::element<V, Term> const& e) { return in.term.later(start, e); });
}

/// Computes the sums of a term's close sweep. Replaces weights in the lanes of the mask `where`.
template <bool Powers, class A, class Term>
void close_sweep(leaf_state<A, Term>& leaf, shared_strips<A> const strips, mask<A> const where) noexcept {
  using V = pack<A>;
  const leaf_inputs<A, Term> in = leaf;
  const row::start_type<V, Term> start = leaf.known.start;
  sum_elements<typename Term::close_sweep::subset, Term::close_sweep::size, Powers>(
      in, strips, leaf.known.close, [&](index i, row::element<V, Term>& e) {
        constexpr int place = row::replaced_weights<Term>;
        V old(0);
        if constexpr (place >= 0) old = e.weights[place];
        const bundle<V, Term::close_sweep::size> sums = row::close_of(in.term, start, e);
        if constexpr (place >= 0) select(where, e.weights[place], old).store(in.weights[place].data + i);
        return sums;
      });
}

/// Runs the sweeps of a term after the first, and adds up their sums over the lanes with `collapse`.
template <bool Powers, class A, class Term, class Collapse>
void later_sweeps(leaf_state<A, Term>& leaf, shared_strips<A> const& strips, Collapse const& collapse) noexcept {
  auto& known = leaf.known;
  known.start = row::start_of(leaf.term, known.s, known.base);
  for (int i = 0; i < row::later_size<Term>; ++i) known.later[i] = pack<A>(0);
  for (int i = 0; i < row::close_size<Term>; ++i) known.close[i] = pack<A>(0);
  if constexpr (row::later_size<Term> > 0) later_sweep<Powers>(leaf, strips);
  for (int i = 0; i < row::later_size<Term>; ++i) known.later[i] = collapse(known.later[i]);
  if constexpr (row::close_size<Term> > 0)
    if (const auto where = row::is_close_of(leaf.term, known); any(where)) close_sweep<Powers>(leaf, strips, where);
  for (int i = 0; i < row::close_size<Term>; ++i) known.close[i] = collapse(known.close[i]);
}

/// Writes to out the sum of the gradients of all terms, for elements [from, to).
template <bool Labels, class A, class... Term>
void last_sweep(detail::list<leaf_state<A, Term>...> const& leaves, shared_strips<A> const strips, index from, index to,
                A* out) noexcept {
  using V = pack<A>;
  const auto state = leaves.apply([](leaf_inputs<A, Term> const&... l) { return detail::list(l...); });
  for (index i = from; i < to; i += V::size) {
    V logit(0), base(0);
    if constexpr ((Term::gradient_reads_coordinates || ...)) logit = V::load(strips.z + i);
    if constexpr (any_softmax<Term...>) base = strips.template exponential<any_tempered<Term...>>(i);
    const auto gradient = [&]<class T>(leaf_inputs<A, T> const& l) {
      const V g =
          l.scale * row::gradient_of(l.term, l.result, l.template at<Labels>(i, logit, strips.columns(i), base));
      return sizeof...(Term) == 1 ? g : keep(l.counts, g);
    };
    state.apply([&](auto const&... l) { return (gradient(l) + ...); }).store(out + i);
  }
}

/// Writes the gradient of all elements. In wide groups most packs have no label: it writes all packs without labels and
/// then the labels' packs again, unless a term or its target needs logits that the gradient may have overwritten.
template <class A, class... Term>
void write_sweep(detail::list<leaf_state<A, Term>...> const& leaves, shared_strips<A> const strips, A* out) noexcept {
  const index size = strips.packs * pack<A>::size;
  if constexpr ((has_sparse_target<Term> || ...)) {
    if (strips.tall || ((Term::gradient_reads_coordinates || smooths_allowed<Term>) || ...))
      return last_sweep<true>(leaves, strips, 0, size, out);
    last_sweep<false>(leaves, strips, 0, size, out);
    leaves.each([&]<class T>([[maybe_unused]] leaf_state<A, T> const& l) {
      if constexpr (has_sparse_target<T>)
        for (int j = 0; j < target_of_term<T>::labels; ++j) {
          const index i = l.q.label(j) / pack<A>::size * pack<A>::size;
          last_sweep<true>(leaves, strips, i, i + pack<A>::size, out);
        }
    });
  } else {
    last_sweep<false>(leaves, strips, 0, size, out);
  }
}

}  // namespace hone::inline HONE_ABI::on_cpu

#include <hone/core/macros_pop.hpp>
