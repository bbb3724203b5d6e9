// SPDX-License-Identifier: MIT
/// The loops over a group of rows. They are free functions of values and plain pointers, the same for wide and tall
/// groups. If lanes are classes, the caller adds up the sums over the lanes afterwards.
#pragma once

#include <hone/cpu/rows/term_state.hpp>
#include <hone/cpu/simd/math.hpp>

#include <algorithm>
#include <limits>

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
  group_numbers<A> z;              // logits
  A* e;                            // exp(z - max), unless it is a power of a term's weights:
  A const* power_of;               // exp((z - max) / 2^squarings), or null
  mask<A> squared, squared_twice;  // in all lanes or none
  group_extent<A> extent;
  next_row next;
  bool tall;  // lanes are rows, not classes
  A const* z_source = nullptr;

  /// Sets the source: the full packs or the last one.
  void enter(bool last) noexcept { z_source = z.of(last); }
  pack<A> logit(index i) const noexcept { return pack<A>::load(z_source + i); }

  /// Returns the class numbers of the pack at element i.
  pack<A> columns(index i) const noexcept {
    using V = pack<A>;
    return tall ? V(static_cast<A>(column_of<A>(i))) : lane_numbers<A>() + V(static_cast<A>(i));
  }
  /// Returns exp(z - max), after the first sweep. `Powers`: true if it may be a power of a term's weights.
  template <bool Powers>
  pack<A> exponential(index i) const noexcept {
    if (!Powers || !power_of) return pack<A>::load(e + i);
    return power(pack<A>::load(power_of + i));
  }
  pack<A> power(pack<A> x) const noexcept {  // selected, because a loop or a branch would cost more
    x = select(squared, x * x, x);
    return select(squared_twice, x * x, x);
  }
};

/// Returns the maximum over the packs, per lane. Four accumulators, because one would wait for the previous maximum.
template <class A>
HONE_INLINE pack<A> largest_of(group_numbers<A> z, group_extent<A> extent) noexcept {
  using V = pack<A>;
  constexpr index W = V::size;
  V a(-std::numeric_limits<A>::infinity()), b = a, c = a, d = a;
  for (row_stretch<A> s(extent); s.next();) {
    A const* const at = z.of(s.last());
    index i = s.begin;
    for (; i + 4 * W <= s.end; i += 4 * W) {
      a = max(a, V::load(at + i));
      b = max(b, V::load(at + i + W));
      c = max(c, V::load(at + i + 2 * W));
      d = max(d, V::load(at + i + 3 * W));
    }
    for (; i < s.end; i += W) a = max(a, V::load(at + i));
  }
  return max(max(a, b), max(c, d));
}

template <class V>
struct softmax_sums {
  V exponentials, logits;
};

/// True if several of the terms list the statistic, so that one may read the weights of another.
template <class S, class... Term>
inline constexpr bool is_shared = (row::lists<S, Term> + ... + 0) > 1;

/// Adds the element at i to the sums of a term and stores the element's weights. `OfBase`: true for totals over
/// softmax<>, false for all other statistics. Sets `tempered` to the weight of the tempered logits, if the term has it.
template <bool OfBase, class... All, class A, class Term>
void gather(first_part<A, Term>& part, shared_strips<A> const& strips, index i, pack<A> logit, pack<A> base,
            [[maybe_unused]] pack<A>& tempered) noexcept {
  using V = pack<A>;
  row::element<V, Term> e = part.in.template read<target_part::all>(i, logit, strips.columns(i));
  row::each_statistic<Term>([&](auto k) {
    using S = row::statistic<k(), Term>;
    constexpr bool of_base = row::is_total_of_base<S, Term>;
    if constexpr (row::is_base<S>) {
      e.weights[k()] = base;
    } else if constexpr (row::is_softmax<S> && !OfBase) {
      weight_strip<A> const& strip = part.in.weights[k()];
      if (is_shared<S, All...> && strip.borrowed) {
        e.weights[k()] = V::load(strip.data + i);
        part.s.sum[k()] += e.weights[k()];
      } else {
        row::gather<k()>(part.rate, e, part.s);
        e.weights[k()].store(strip.data + i);
      }
      if constexpr (is_tempered_logits<S>::value) tempered = e.weights[k()];
    } else if constexpr (of_base == OfBase) {
      row::gather<k()>(part.rate, e, part.s);
    }
  });
}

/// Returns Σ exp(z - max) and Σ (z - max), stores the exponentials, and gathers the statistics of every term.
template <class A, class... Term>
HONE_INLINE softmax_sums<pack<A>> first_sweep(detail::list<leaf_state<A, Term>...>& leaves, shared_strips<A> strips,
                                              pack<A> const row_max) noexcept {
  using V = pack<A>;
  auto parts = leaves.apply([](auto const&... l) { return detail::list(first_part(l)...); });
  V total(0), logits(0);
  softmax_sums<V> sums{V(any_softmax<Term...> ? 0 : 1), V(0)};  // it is a divisor, also without a softmax
  bool first = true;

  const auto step = [&](index i) {
    const V logit = strips.logit(i), z = logit - row_max;
    V tempered(0);
    parts.each([&]<class T>([[maybe_unused]] first_part<A, T>& l) {
      if constexpr (sums_full_target<T>) {
        l.in.q.next.prefetch(i);
        const V q = l.in.q.at(i);
        l.s.sum[row::target_place<T>] += q;
        l.s.dot += q * zero_where(q == V(0), z);
      }
      if constexpr (row::has_teacher<T> && row::gathers<T>) l.t_next.prefetch(i);
      if constexpr (row::gathers<T>) gather<false, Term...>(l, strips, i, logit, V(0), tempered);
    });
    if constexpr (any_softmax<Term...>) {
      V e;
      if (any_tempered<Term...> && strips.power_of) {
        constexpr int count = (row::lists<row::tempered<row::logits>, Term> + ... + 0);
        e = strips.power(count == 1 ? tempered : V::load(strips.power_of + i));
      } else {
        e = exp_of_nonpositive(z);
        e.store(strips.e + i);
      }
      total += e;
      parts.each([&]<class T>([[maybe_unused]] first_part<A, T>& l) {
        if constexpr (row::totals_base<T>) gather<true, Term...>(l, strips, i, logit, e, tempered);
      });
    }
    if constexpr ((wants_sum_of_logits<Term> || ...)) logits += z;
  };

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
    if (++stretches % 64 == 0) give();
  };
  for (row_stretch<A> s(strips.extent); s.next(); end_stretch()) {
    strips.enter(s.last());
    parts.each([&](auto& part) { part.enter(s.last()); });
    for (index i = s.begin; i < s.end; i += V::size) {
      strips.next.prefetch(i);
      step(i);
    }
    if constexpr ((wants_sum_of_logits<Term> || ...))
      if (s.last())
        logits = keep(lane_numbers<A>() < V(static_cast<A>(strips.extent.numbers - s.begin)),
                      strips.logit(s.begin) - row_max);
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
void sum_elements(leaf_inputs<A, Term>& in, shared_strips<A> strips, bundle<pack<A>, N>& to,
                  Body const& body) noexcept {
  using V = pack<A>;
  for (row_stretch<A> s(strips.extent); s.next();) {
    strips.enter(s.last()), in.enter(s.last());
    bundle<V, N> sums;
    for (int k = 0; k < N; ++k) sums[k] = V(0);
    for (index i = s.begin; i < s.end; i += V::size) {
      V base(0);
      if constexpr (row::reads_softmax<Term>) base = strips.template exponential<Powers>(i);
      row::element<V, Term> e = in.template at<target_part::all>(i, strips.logit(i), strips.columns(i), base);
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
  leaf_inputs<A, Term> in = leaf;  // a copy, so that the compiler knows that no store changes it
  const row::start_type<V, Term> start = leaf.known.start;
  sum_elements<typename Term::later_sweep::subset, Term::later_sweep::size, Powers>(
      in, strips, leaf.known.later, [&](index, row::element<V, Term> const& e) { return in.term.later(start, e); });
}

/// Computes the sums of a term's close sweep. Replaces weights in the lanes of the mask `where`.
template <bool Powers, class A, class Term>
void close_sweep(leaf_state<A, Term>& leaf, shared_strips<A> const strips, mask<A> const where) noexcept {
  using V = pack<A>;
  leaf_inputs<A, Term> in = leaf;
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

}  // namespace hone::inline HONE_ABI::on_cpu

#include <hone/core/macros_pop.hpp>
