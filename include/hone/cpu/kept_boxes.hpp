// SPDX-License-Identifier: MIT
/// The boxes that a suppression has kept so far, in columns: a candidate is held against packs of them.
#pragma once

#include <hone/cpu/math.hpp>
#include <hone/cpu/scratch.hpp>
#include <hone/loss/box/box_pair.hpp>

#include <algorithm>

namespace hone::on_cpu {

template <class A>
class kept_boxes {
  using V = pack<A>;
  static constexpr index look_after = 16 * V::size;  // a sum over lanes costs as much as two packs

 public:
  static std::size_t bytes(index most) noexcept { return 4 * carver::room_for<A>(room(most)); }

  kept_boxes(carver& pieces, index most) noexcept {
    for (A*& c : columns_) c = pieces.take<A>(room(most));
  }

  index size() const noexcept { return size_; }
  void clear() noexcept { size_ = 0; }

  void add(box<A> const& b) noexcept {
    if (size_ % V::size == 0)  // boxes without area fill up the last pack
      for (A* c : columns_) V(0).store(c + size_);
    columns_[0][size_] = b.x1, columns_[1][size_] = b.y1, columns_[2][size_] = b.x2, columns_[3][size_] = b.y2;
    ++size_;
  }

  /// Whether one of them, from the first-th on, exceeds the threshold with this box. A few before it are asked as well.
  template <class Exceeds>
  bool suppress(box<A> const& one, index first, Exceeds const& exceeds, A threshold) const noexcept {
    const box<V> candidate{V(one.x1), V(one.y1), V(one.x2), V(one.y2)};
    const V t(threshold);
    for (index k = first / V::size * V::size; k < size_;) {
      const index look = std::min(k + look_after, size_);
      mask<A> any = V(1) < V(0);
      for (; k < look; k += V::size) {
        const box<V> kept{V::load(columns_[0] + k), V::load(columns_[1] + k), V::load(columns_[2] + k),
                          V::load(columns_[3] + k)};
        any = any | exceeds(box_pair<V>(kept, candidate), t);
      }
      if (sum(keep(any, V(1))) > 0) return true;
    }
    return false;
  }

 private:
  static std::size_t room(index most) noexcept { return static_cast<std::size_t>((most / V::size + 1) * V::size); }

  A* columns_[4];
  index size_ = 0;
};

}  // namespace hone::on_cpu
