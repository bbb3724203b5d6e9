// SPDX-License-Identifier: MIT
/// The last sweep over a group of rows: it writes the gradient, in place, through a strip or past the caches.
#pragma once

#include <hone/cpu/memory/streaming_store.hpp>
#include <hone/cpu/rows/sweeps.hpp>

#include <algorithm>
#include <limits>

#include <hone/core/macros_push.hpp>

namespace hone::inline HONE_ABI::on_cpu {

/// The last sweep: writes the sum of the gradients of all terms.
template <class A, class... Term>
class gradient_sweep {
  using V = pack<A>;
  static constexpr index W = V::size;
  /// True if the labels cannot be written afterwards: the gradient may have overwritten the logits that they need.
  static constexpr bool reads_logits = ((Term::gradient_reads_coordinates || smooths_allowed<Term>) || ...);

 public:
  gradient_sweep(detail::list<leaf_state<A, Term>...> const& leaves, shared_strips<A> const& strips) noexcept
      : leaves_(leaves.apply([](auto const&... l) { return detail::list(last_part(l)...); })), strips_(strips) {}

  /// Writes all elements. In wide groups most packs have no label: it writes all packs without labels, and then those
  /// of the labels again.
  HONE_INLINE void write(group_output<A> out) noexcept {
    const bool labels = strips_.tall || reads_logits;
    for (row_stretch<A> s(strips_.extent); s.next();) {
      enter(s.last());
      A* const to = out.of(s.last());
      if (!labels || !(has_sparse_target<Term> || ...))
        write<target_part::uniform>(s.begin, s.end, to);
      else if (strips_.tall)
        write<target_part::all_tall>(s.begin, s.end, to);
      else
        write<target_part::all_wide>(s.begin, s.end, to);
    }
    if (!labels)
      leaves_.each([&]<class T>([[maybe_unused]] last_part<A, T> const& l) {
        if constexpr (has_sparse_target<T>)
          for (int j = 0; j < target_of_term<T>::labels; ++j) {
            const index i = l.in.q.label(j) / W * W;
            enter(i >= strips_.extent.full);
            write<target_part::all_wide>(i, i + W, out.of(i >= strips_.extent.full));
          }
      });
  }

  /// Writes a wide row past the caches, each line of memory once, and therefore the packs of labels in their turn. The
  /// ends of the row, which share lines with other rows, take the way through the strip.
  HONE_INLINE void stream(A* row, A* strip) noexcept {
    const auto [numbers, full] = strips_.extent;
    const index head = before_aligned_pack(row), tail = head + (full - head) / W * W;
    enter(false);
    for (index i = head; i < tail;) {
      const index label = std::min(next_label(i, head), tail);
      write<target_part::uniform, true>(i, label, row);
      i = label;
      if (i < tail) write<target_part::all_wide, true>(i, i + W, row), i += W;
    }
    write<target_part::all_wide>(0, W, strip);
    convert(strip, row, head);
    write<target_part::all_wide>(full - W, full, strip);
    enter(true);
    if (full < numbers) write<target_part::all_wide>(full, numbers, strip);
    convert(strip + tail, row + tail, numbers - tail);
  }

 private:
  void enter(bool last) noexcept {
    strips_.enter(last);
    leaves_.each([last](auto& l) { l.in.enter(last); });
  }

  /// Returns the first position from i on, in steps of W after `head`, of a pack with a label; a large number without
  /// one.
  index next_label(index i, index head) const noexcept {
    index first = std::numeric_limits<index>::max();
    leaves_.each([&]<class T>([[maybe_unused]] last_part<A, T> const& l) {
      if constexpr (has_sparse_target<T>)
        for (int j = 0; j < target_of_term<T>::labels; ++j)
          if (const index label = l.in.q.label(j); label >= i) first = std::min(first, head + (label - head) / W * W);
    });
    return first;
  }

  template <target_part Part, bool PastCaches = false>
  HONE_INLINE void write(index from, index to, A* out) const noexcept {
    for (index i = from; i < to; i += W) {
      V logit(0), base(0);
      if constexpr ((Term::gradient_reads_coordinates || ...)) logit = strips_.logit(i);
      if constexpr (any_softmax<Term...>) base = strips_.template exponential<any_tempered<Term...>>(i);
      const auto gradient = [&]<class T>(last_part<A, T> const& l) {
        const V g =
            l.scale * row::gradient_of(l.in.term, l.result, l.in.template at<Part>(i, logit, strips_.columns(i), base));
        return sizeof...(Term) == 1 ? g : keep(l.counts, g);
      };
      const V sum = leaves_.apply([&](auto const&... l) { return (gradient(l) + ...); });
      if constexpr (PastCaches)
        stream_pack(sum, out + i);
      else
        sum.store(out + i);
    }
  }

  detail::list<last_part<A, Term>...> leaves_;
  shared_strips<A> strips_;
};
template <class A, class... Term>
gradient_sweep(detail::list<leaf_state<A, Term>...> const&, shared_strips<A> const&) -> gradient_sweep<A, Term...>;

}  // namespace hone::inline HONE_ABI::on_cpu

#include <hone/core/macros_pop.hpp>
