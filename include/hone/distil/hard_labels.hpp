// SPDX-License-Identifier: MIT
/// The checks of every backend's hard_labels, which writes the teacher's most likely class of each row as a label.
#pragma once

#include <hone/core/contiguous.hpp>
#include <hone/core/overlap.hpp>
#include <hone/core/view_check.hpp>

#include <limits>
#include <type_traits>

#include <hone/core/macros_push.hpp>

namespace hone::inline HONE_ABI {

/// A writable std::vector, std::span or another vector of integers.
template <class R>
concept label_range = detail::contiguous_integers<R> && !std::is_const_v<detail::referred_number<R>>;

namespace detail {

template <class T, class Labels>
void require_hard_labels(matrix_view<T> logits, Labels& to) {
  const index labels = count_of(to);
  require_sizes("hard_labels", "teacher_logits", logits.rows, logits.columns);
  require_memory("hard_labels", "teacher_logits", logits);
  if (labels != logits.rows)
    fail("hard_labels: room for %jd labels, %jd rows", std::intmax_t(labels), std::intmax_t(logits.rows));
  if (logits.rows > 0 && logits.columns == 0)
    fail("hard_labels: teacher_logits is %jd x 0, must have a class", std::intmax_t(logits.rows));
  constexpr auto max_label = std::numeric_limits<number_in<Labels>>::max();
  if (logits.columns > 0 && static_cast<std::uint64_t>(logits.columns - 1) > static_cast<std::uint64_t>(max_label))
    fail("hard_labels: labels go up to %ju, teacher_logits has %jd classes", std::uintmax_t(max_label),
         std::intmax_t(logits.columns));
  require_apart("hard_labels", "labels", footprint_of(data_of(to), labels), "teacher_logits", footprint_of(logits));
}

/// A class and its logit; the larger logit is better, then the smaller column. NaN is never better.
template <class A>
struct best_class {
  A logit;
  index column;

  HONE_HD bool better_than(best_class const& other) const {
    return logit > other.logit || (logit == other.logit && column < other.column);
  }
};

}  // namespace detail
}  // namespace hone::inline HONE_ABI

#include <hone/core/macros_pop.hpp>
