// SPDX-License-Identifier: MIT
/// The boxes that a suppression has kept so far, stored as four columns of numbers. A candidate is compared with packs
/// of them.
#pragma once

#include <hone/cpu/run/scratch.hpp>
#include <hone/cpu/simd/math.hpp>
#include <hone/loss/box/box_pair.hpp>

#include <algorithm>
#include <type_traits>

#include <hone/core/macros_push.hpp>

namespace hone::inline HONE_ABI::on_cpu {

template <class A, class Format>
class kept_boxes {
  using V = pack<A>;
  using packs = box_pair<V, Format>;
  using pair = box_pair<A, Format>;
  static constexpr index look_after = (std::is_same_v<A, float> ? 4 : 8) * V::size;  // a check costs as much as a pack

 public:
  static std::size_t bytes(index capacity) noexcept { return 4 * arena::room_for<A>(room(capacity)); }

  kept_boxes(arena& pieces, index capacity) noexcept {
    for (A*& c : columns_) c = pieces.take<A>(room(capacity));
  }

  index size() const noexcept { return size_; }
  void clear() noexcept { size_ = 0; }

  void add(box<A> const& b) noexcept {
    if (size_ % V::size == 0)  // boxes without area pad the last pack
      for (A* c : columns_) V(0).store(c + size_);
    columns_[0][size_] = b.x1, columns_[1][size_] = b.y1, columns_[2][size_] = b.x2, columns_[3][size_] = b.y2;
    ++size_;
  }

  /// Returns true if a kept box suppresses `one` by the rule. Tests boxes from `first` on, and a few before it.
  template <class Rule>
  bool suppress(box<A> const& one, index first, Rule const& rule) const noexcept {
    const box<V> candidate{V(one.x1), V(one.y1), V(one.x2), V(one.y2)};
    for (index k = first / V::size * V::size; k < size_;) {
      const index from = k, look = std::min(k + look_after, size_);
      mask<A> found = V(1) < V(0);
      for (; k < look; k += V::size) found = found | rule.may(packs(boxes_at(k), candidate));
      if (on_cpu::any(found) && suppress_surely(one, candidate, from, look, rule)) return true;
    }
    return false;
  }

 private:
  box<V> boxes_at(index k) const noexcept {
    return {V::load(columns_[0] + k), V::load(columns_[1] + k), V::load(columns_[2] + k), V::load(columns_[3] + k)};
  }

  box<A> box_at(index i) const noexcept { return {columns_[0][i], columns_[1][i], columns_[2][i], columns_[3][i]}; }

  /// The same for the kept boxes in [from, to), after rule.may() holds for one of them. Tests must(), then does().
  template <class Rule>
  bool suppress_surely(box<A> const& one, box<V> const& candidate, index from, index to,
                       Rule const& rule) const noexcept {
    mask<A> found = V(1) < V(0);
    for (index k = from; k < to; k += V::size) found = found | rule.must(packs(boxes_at(k), candidate));
    if (on_cpu::any(found)) return true;
    for (index k = from; k < to; k += V::size) {
      A in_question[V::size];
      keep(rule.may(packs(boxes_at(k), candidate)), V(1)).store(in_question);
      for (int lane = 0; lane < V::size; ++lane)
        if (in_question[lane] > 0 && rule.does(pair(box_at(k + lane), one))) return true;
    }
    return false;
  }

  static std::size_t room(index capacity) noexcept {
    return static_cast<std::size_t>((capacity / V::size + 1) * V::size);
  }

  A* columns_[4];
  index size_ = 0;
};

}  // namespace hone::inline HONE_ABI::on_cpu

#include <hone/core/macros_pop.hpp>
