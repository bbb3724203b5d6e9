// SPDX-License-Identifier: MIT
/// What the verbs of calibration take, logits and labels, and how both are checked.
#pragma once

#include <hone/core/view_check.hpp>
#include <hone/target/classes.hpp>

#include <span>  // and the concepts of ranges; <ranges> would take longer to read
#include <type_traits>

namespace hone::detail {

template <class T>
inline constexpr bool is_logits = false;
template <class T>
inline constexpr bool is_logits<matrix_view<T>> = element<std::remove_const_t<T>>;

template <class T>
concept label_numbers = std::ranges::contiguous_range<T const&> && std::integral<std::ranges::range_value_t<T const&>>;

template <class Label>
classes_target<Label> classes_of(classes_target<Label> const& labels) noexcept {
  return labels;
}
template <class Labels>
auto classes_of(Labels const& labels) noexcept {
  static_assert(label_numbers<Labels>,
                "calibration: the labels must be hone::classes(labels), or a std::vector or std::span of integers");
  return classes_target<std::ranges::range_value_t<Labels const&>>{std::ranges::data(labels),
                                                                   static_cast<index>(std::ranges::size(labels))};
}

/// The logits are memory that can exist, and every row has a label, which is a class or ignored.
template <class T, class Label>
void require_labelled(const char* function, matrix_view<const T> logits, classes_target<Label> const& labels) {
  require_sizes(function, "logits", logits.rows, logits.columns);
  require_memory(function, "logits", logits);
  if (labels.size != logits.rows)
    fail("%s: %jd labels for %jd rows", function, std::intmax_t(labels.size), std::intmax_t(logits.rows));
  for (index i = 0; i < logits.rows; ++i)
    if (!labels.labels_fit(i, logits.columns) && !labels.ignores(i))
      fail("%s: the label of row %jd is %jd, must be in [0, %jd)", function, std::intmax_t(i),
           std::intmax_t(labels.label(i)), std::intmax_t(logits.columns));
}

/// What a verb of calibration works on.
template <class View, class Target>
struct labelled_logits {
  View logits;
  Target labels;
};

template <class Logits, class Labels>
auto labelled(const char* function, Logits const& logits, Labels const& labels) {
  static_assert(
      is_logits<Logits>,
      "calibration: the logits must be a hone::matrix_view of float, double, or a 16-bit floating-point type");
  const labelled_logits<matrix_view<number_of<Logits> const>, decltype(classes_of(labels))> rows{logits,
                                                                                                 classes_of(labels)};
  require_labelled(function, rows.logits, rows.labels);
  return rows;
}

/// The numbers that say how confidences are computed and counted.
inline void require_bins(const char* function, integer bins, real temperature) {
  require(bins >= 1 && bins <= 1 << 20, function, "bins", bins.value, "in [1, 1048576]");
  require(temperature > 0 && finite(temperature) && finite(1 / temperature), function, "temperature", temperature.value,
          "finite and positive, and its inverse finite");
}

}  // namespace hone::detail
