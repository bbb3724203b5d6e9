// SPDX-License-Identifier: MIT
/// What every backend's hard_labels checks: the teacher's answers as labels.
#pragma once

#include <hone/core/view_check.hpp>

#include <limits>
#include <span>  // and the concepts of ranges
#include <type_traits>

namespace hone {

/// A std::vector or std::span of integers to be written.
template <class R>
concept label_range = std::ranges::contiguous_range<R> && std::integral<std::ranges::range_value_t<R>> &&
                      !std::is_const_v<std::remove_reference_t<std::ranges::range_reference_t<R>>>;

namespace detail {

template <class Labels, class T>
void require_hard_labels(matrix_view<T> logits, index labels) {
  require_sizes("hard_labels", "teacher_logits", logits.rows, logits.columns);
  require_memory("hard_labels", "teacher_logits", logits);
  if (labels != logits.rows)
    fail("hard_labels: room for %jd labels, %jd rows", std::intmax_t(labels), std::intmax_t(logits.rows));
  if (logits.rows > 0 && logits.columns == 0)
    fail("hard_labels: teacher_logits is %jd x 0, must have a class", std::intmax_t(logits.rows));
  constexpr auto most = std::numeric_limits<std::ranges::range_value_t<Labels>>::max();
  if (logits.columns > 0 && static_cast<std::uint64_t>(logits.columns - 1) > static_cast<std::uint64_t>(most))
    fail("hard_labels: labels go up to %ju, teacher_logits has %jd classes", std::uintmax_t(most),
         std::intmax_t(logits.columns));
}

/// A class with its logit; the better one is the larger, and the first of equals. NaN is never better.
template <class A>
struct best_class {
  A logit;
  index column;

  HONE_HD bool better_than(best_class const& other) const {
    return logit > other.logit || (logit == other.logit && column < other.column);
  }
};

}  // namespace detail
}  // namespace hone
