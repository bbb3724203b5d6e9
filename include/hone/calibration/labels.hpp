// SPDX-License-Identifier: MIT
/// Logits and labels, the arguments of the calibration functions, and their checks.
#pragma once

#include <hone/core/contiguous.hpp>
#include <hone/core/view_check.hpp>
#include <hone/target/classes.hpp>

#include <type_traits>

#include <hone/core/macros_push.hpp>

namespace hone::inline HONE_ABI::detail {

template <class T>
inline constexpr bool is_logits = false;
template <class T>
inline constexpr bool is_logits<matrix_view<T>> = element<std::remove_const_t<T>>;
template <class T>
inline constexpr bool is_logits<image_view<T>> = element<std::remove_const_t<T>>;

template <class T>
matrix_view<const T> to_be_read(matrix_view<T> v) noexcept {
  return v;
}
template <class T>
image_view<const T> to_be_read(image_view<T> v) noexcept {
  return v;
}

template <class Label>
classes_target<Label> classes_of(classes_target<Label> const& labels) noexcept {
  return labels;
}
template <class Labels>
auto classes_of(Labels const& labels) noexcept {
  constexpr bool fit = contiguous_integers<Labels const&>;
  static_assert(fit,
                "calibration: the labels must be hone::classes(labels), or a std::vector or std::span of integers");
  if constexpr (fit) {
    return classes_target<number_in<Labels const&>>{data_of(labels), count_of(labels)};
  } else {
    return classes_target<index>{};  // avoids further compiler errors
  }
}

/// Checks that the logits have valid memory and that every row has a label, which is a class or ignored.
template <class View, class Label>
void require_labelled(const char* function, View logits, classes_target<Label> const& labels) {
  require_valid(logits, "logits", function);
  const index rows = rows_of(logits), columns = columns_of(logits);
  labels.check_shape(rows, columns, function);
  labels.check_values(rows, columns, function);
}

/// The checked arguments of a calibration function.
template <class View, class Target>
struct labelled_logits {
  View logits;
  Target labels;
};

template <class Logits, class Labels>
auto labelled(const char* function, Logits const& logits, Labels const& labels) {
  static_assert(is_logits<Logits>,
                "calibration: the logits must be a hone::matrix_view or hone::image_view of float, double, or a 16-bit "
                "floating-point type");
  const labelled_logits<decltype(to_be_read(logits)), decltype(classes_of(labels))> rows{to_be_read(logits),
                                                                                         classes_of(labels)};
  require_labelled(function, rows.logits, rows.labels);
  return rows;
}

/// Checks the number of bins and the temperature.
inline void require_bins(const char* function, integer bins, real temperature) {
  require(bins >= 1 && bins <= 1 << 20, function, "bins", bins.value, "in [1, 1048576]");
  require(temperature > 0 && finite(temperature) && finite(1 / temperature), function, "temperature", temperature.value,
          "finite and positive, and its inverse finite");
}

}  // namespace hone::inline HONE_ABI::detail

#include <hone/core/macros_pop.hpp>
