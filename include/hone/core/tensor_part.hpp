// SPDX-License-Identifier: MIT
/// Which numbers of a whole tensor a part of it holds.
#pragma once

#include <hone/core/number.hpp>

#include <hone/core/macros_push.hpp>

namespace hone::inline HONE_ABI::detail {

/// The numbers of a part in the order of its memory: lines of `columns` adjacent numbers, of which one begins every
/// `stride` numbers of the whole. The first begins at number `first`. A line of 0 columns is the only one.
struct tensor_part {
  index first = 0, columns = 0, stride = 0;

  /// Calls body(k, number, count) for every line of the numbers [begin, end) of the part: `count` numbers from the k-th
  /// of the part on are those from `number` on of the whole.
  template <class Body>
  void visit(index begin, index end, Body const& body) const {
    if (columns == 0) return body(begin, first + begin, end - begin);
    for (index k = begin; k < end;) {
      const index line = k / columns, past = k - line * columns, left = columns - past;
      const index count = left < end - k ? left : end - k;
      body(k, first + line * stride + past, count);
      k += count;
    }
  }
};

/// Goes from number to number of a part.
class part_walk {
 public:
  HONE_HD part_walk(tensor_part const& part, index k) noexcept : part_(part), number_(part.first + k) {
    if (part.columns == 0) return;
    const index line = k / part.columns;
    past_ = k - line * part.columns, number_ = part.first + line * part.stride + past_;
  }

  /// Returns the number of the whole.
  HONE_HD index operator*() const noexcept { return number_; }
  HONE_HD part_walk& operator++() noexcept {
    ++number_;
    if (part_.columns != 0 && ++past_ == part_.columns) past_ = 0, number_ += part_.stride - part_.columns;
    return *this;
  }

 private:
  tensor_part part_;
  index number_, past_ = 0;
};

}  // namespace hone::inline HONE_ABI::detail

#include <hone/core/macros_pop.hpp>
