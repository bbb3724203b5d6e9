// SPDX-License-Identifier: MIT
/// The three loops over a group of rows. They are free functions on values and plain pointers, the same for
/// wide and tall groups; only what they sum up is summed over the lanes afterwards, where lanes are classes.
#pragma once

#include <hone/cpu/rows/term_state.hpp>
#include <hone/cpu/simd/math.hpp>

#include <algorithm>

#include <hone/core/macros_push.hpp>

namespace hone::inline HONE_ABI::on_cpu {

template <class... Term>
inline constexpr bool any_softmax = (Term::needs_softmax || ...);
template <class... Term>
inline constexpr bool any_tempered = ((Term::tempered >= 0) || ...);

/// The strips that the terms share.
template <class A>
struct shared_strips {
  A const* z;  // logits
  A* e;        // exp(z - max), where no term keeps a power of it
  index packs;
  index tail;  // lanes of the last pack that hold classes; all if 0
  row_ahead next;
  int squarings;  // exp(z - max) is the first tempered number squared this often; -1: it is not
  bool tall;      // lanes are rows, not classes

  /// The classes of the pack at element i.
  pack<A> columns(index i) const noexcept {
    using V = pack<A>;
    const index column = i / V::size;
    return tall ? V(static_cast<A>(column)) : lane_numbers<A>() + V(static_cast<A>(i));
  }
};

/// exp(z - max) from exp((z - max) / 2^squarings).
template <class V>
V squared(V x, int squarings) noexcept {
  for (int i = 0; i < squarings; ++i) x = x * x;
  return x;
}

/// The strip of the first term that keeps exp((z - max) / temperature).
template <class A, class... Term>
A const* tempered_strip(detail::list<leaf_state<A, Term>...> const& leaves) noexcept {
  A const* strip = nullptr;
  leaves.each([&]<class T>([[maybe_unused]] leaf_state<A, T> const& l) {
    if constexpr (T::tempered >= 0)
      if (!strip) strip = l.kept[T::tempered];
  });
  return strip;
}

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

/// Sums are taken over stretches of so many packs first: one chain over a row of 100,000 would lose four digits.
inline constexpr index stretch_packs = 64;

template <class V>
struct softmax_sums {
  V exponentials, logits;
};

/// Sums exp(z - max) and z - max, keeps the exponentials, and lets every term take what it needs.
template <class A, class... Term>
softmax_sums<pack<A>> first_sweep(detail::list<leaf_state<A, Term>...>& leaves, shared_strips<A> const strips,
                                  pack<A> const row_max) noexcept {
  using V = pack<A>;
  auto parts = leaves.apply([](auto const&... l) { return detail::list(first_part(l)...); });
  A const* const tempered = tempered_strip(leaves);
  V total(0), logits(0);
  softmax_sums<V> sums{V(any_softmax<Term...> ? 0 : 1), V(0)};  // it is divided by, softmax or not
  bool first = true;                                            // stretch

  const auto step = [&](index i, V z, V z_or_0) {
    parts.each([&]<class T>([[maybe_unused]] first_part<A, T>& l) {
      if constexpr (has_full_target<T>) {
        l.in.q.next.prefetch(i);
        const V q = l.in.q.at(i);
        l.s.mass += q;
        l.s.dot += q * zero_where(q == V(0), z);
      }
      if constexpr (T::kept > 0) {
        row_element<V> e{z, V(0), V(0), V(0), {V(0), V(0)}};
        if constexpr (T::needs_column) e.column = strips.columns(i);
        if constexpr (T::splits) e.rest = V::load(strips.z + i) - l.in.rest_max;
        if constexpr (T::splits && T::has_target) e.q = l.in.q.at(i);
        if constexpr (reads_teacher<T>) {
          l.in.t_next.prefetch(i);
          e.t = V::load(l.in.t + i) - l.in.t_max;
        }
        l.in.term.first(e, l.s.sums);
        e.kept[0].store(l.in.kept[0] + i);
        if constexpr (T::kept > 1) e.kept[1].store(l.in.kept[1] + i);
      }
    });
    if constexpr (any_softmax<Term...>) {
      V e;
      if (any_tempered<Term...> && strips.squarings >= 0) {
        e = squared(V::load(tempered + i), strips.squarings);
      } else {
        e = exp_of_nonpositive(z);
        e.store(strips.e + i);
      }
      total += e;
    }
    if constexpr ((wants_sum_of_logits<Term> || ...)) logits += z_or_0;
  };

  const index whole = (strips.packs - (strips.tail != 0)) * V::size;
  const auto end_stretch = [&] {
    [&]<std::size_t... I>(std::index_sequence<I...>) {
      (detail::at<I>(parts).give(detail::at<I>(leaves), first), ...);
    }(std::index_sequence_for<Term...>());
    first = false;
    sums.exponentials += total, sums.logits += logits;
    total = logits = V(0);
  };
  for (index i = 0; i < whole; end_stretch())
    for (const index end = std::min(i + stretch_packs * V::size, whole); i < end; i += V::size) {
      strips.next.prefetch(i);
      const V z = V::load(strips.z + i) - row_max;
      step(i, z, z);
    }
  if (strips.tail != 0) {
    A valid[V::size];
    for (int lane = 0; lane < V::size; ++lane) valid[lane] = lane < strips.tail;
    const V z = V::load(strips.z + whole) - row_max;
    step(whole, z, zero_where(V::load(valid) == V(0), z));
    end_stretch();
  }
  return sums;
}

/// exp(z - max) as the first sweep left it: its own strip, or a tempered one to be squared.
template <class A, class... Term>
struct exponentials {
  A const* strip;
  int squarings = 0;

  exponentials(detail::list<leaf_state<A, Term>...> const& leaves, shared_strips<A> const& strips) noexcept
      : strip(strips.e) {
    if (any_tempered<Term...> && strips.squarings >= 0) strip = tempered_strip(leaves), squarings = strips.squarings;
  }
  pack<A> at(index i) const noexcept {
    const pack<A> e = pack<A>::load(strip + i);
    return any_tempered<Term...> ? squared(e, squarings) : e;
  }
};

/// For terms that need the first sums before they can sum; where they have a target, classes without are passed over.
template <class A, class Term, class... All>
void second_sweep(leaf_state<A, Term>& leaf, detail::list<leaf_state<A, All>...> const& leaves,
                  shared_strips<A> const strips, pack<A> const row_max, pack<A> const inverse) noexcept {
  static_assert(Term::has_target || reads_teacher<Term>, "a term with late sums needs a target or a teacher");
  using V = pack<A>;
  const exponentials<A, All...> e_of(leaves, strips);
  const index size = strips.packs * V::size;
  for (index i = 0; i < size;) {
    V late[2] = {V(0), V(0)};
    for (const index end = std::min(i + stretch_packs * V::size, size); i < end; i += V::size) {
      if constexpr (Term::has_target)
        if (all(leaf.q.at(i) == V(0))) continue;
      V p(0);
      if constexpr (any_softmax<All...>) p = e_of.at(i) * inverse;
      row_element<V> e = leaf.template at<true>(i, V::load(strips.z + i) - row_max, p);
      if constexpr (reads_teacher<Term>) e.t = V::load(leaf.t + i) - leaf.t_max;
      if constexpr (Term::splits) e.rest = V::load(strips.z + i) - leaf.rest_max;
      if constexpr (Term::needs_column) e.column = strips.columns(i);
      leaf.term.second(e, leaf.s, late);
    }
    for (int k = 0; k < Term::late; ++k) leaf.s.late[k] += late[k];
  }
}

/// For terms whose first sums cancel in some of the lanes, which `where` names; what they keep of others stays. A term
/// with a list is asked where there are listed numbers alone.
template <class A, class Term>
void refine_sweep(leaf_state<A, Term>& leaf, shared_strips<A> const strips, pack<A> const row_max,
                  mask<A> const where) noexcept {
  using V = pack<A>;
  const leaf_state<A, Term> in = leaf;  // so that the compiler need not fear that a store changes it
  const index size = strips.packs * V::size;
  for (index i = 0; i < size;) {
    V fine[2] = {V(0), V(0)};
    for (const index end = std::min(i + stretch_packs * V::size, size); i < end; i += V::size) {
      row_element<V> e = in.template at<true>(i, V::load(strips.z + i) - row_max, V(0));
      if constexpr (reads_teacher<Term>) e.t = V::load(in.t + i) - in.t_max;
      if constexpr (Term::has_list)
        if (all(in.term.rest(e))) continue;
      if constexpr (Term::splits) e.rest = V::load(strips.z + i) - in.rest_max;
      const V kept[2] = {e.kept[0], e.kept[1]};
      in.term.refine(e, in.s, fine);
      if constexpr (Term::kept > 1) select(where, e.kept[1], kept[1]).store(in.kept[1] + i);
    }
    for (int k = 0; k < Term::fine; ++k) leaf.s.fine[k] += fine[k];
  }
}

/// Adds up the gradients of all terms, of elements [from, to).
template <bool Labels, class A, class... Term>
void last_sweep(detail::list<leaf_state<A, Term>...> const& leaves, shared_strips<A> const strips,
                pack<A> const row_max, pack<A> const inverse, index from, index to, A* out) noexcept {
  using V = pack<A>;
  const auto state = leaves.apply([](leaf_inputs<A, Term> const&... l) { return detail::list(l...); });
  const exponentials<A, Term...> e_of(leaves, strips);
  for (index i = from; i < to; i += V::size) {
    V z(0), p(0);
    if constexpr ((Term::needs_logits || ...)) z = V::load(strips.z + i) - row_max;
    if constexpr (any_softmax<Term...>) p = e_of.at(i) * inverse;
    const auto gradient = [&]<class T>(leaf_inputs<A, T> const& l) {
      row_element<V> e = l.template at<Labels>(i, z, p);
      if constexpr (T::needs_column) e.column = strips.columns(i);
      const V g = l.scale * l.term.gradient(l.row, e);
      return sizeof...(Term) == 1 ? g : keep(l.counts, g);
    };
    state.apply([&](auto const&... l) { return (gradient(l) + ...); }).store(out + i);
  }
}

/// All elements. Where rows are wide, most packs hold no label: they are written without, and a label's again.
/// (Unless a term or its target needs the logits, over which the gradient may have been written.)
template <class A, class... Term>
void write_sweep(detail::list<leaf_state<A, Term>...> const& leaves, shared_strips<A> const strips, bool tall,
                 pack<A> const row_max, pack<A> const inverse, A* out) noexcept {
  const index size = strips.packs * pack<A>::size;
  if constexpr ((has_sparse_target<Term> || ...)) {
    if (tall || ((Term::needs_logits || smooths_allowed<Term>) || ...))
      return last_sweep<true>(leaves, strips, row_max, inverse, 0, size, out);
    last_sweep<false>(leaves, strips, row_max, inverse, 0, size, out);
    leaves.each([&]<class T>([[maybe_unused]] leaf_state<A, T> const& l) {
      if constexpr (has_sparse_target<T>)
        for (int j = 0; j < target_of_term<T>::labels; ++j) {
          const index i = l.q.label(j) / pack<A>::size * pack<A>::size;
          last_sweep<true>(leaves, strips, row_max, inverse, i, i + pack<A>::size, out);
        }
    });
  } else {
    last_sweep<false>(leaves, strips, row_max, inverse, 0, size, out);
  }
}

}  // namespace hone::inline HONE_ABI::on_cpu

#include <hone/core/macros_pop.hpp>
