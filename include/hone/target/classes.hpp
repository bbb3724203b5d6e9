// SPDX-License-Identifier: MIT
/// Hard targets: one label per row.
#pragma once

#include <hone/core/config.hpp>
#include <hone/core/contiguous.hpp>
#include <hone/core/error.hpp>
#include <hone/target/target.hpp>

#include <algorithm>

#include <hone/core/macros_push.hpp>

namespace hone::inline HONE_ABI {

/// An optional label of any integer type; none by default.
struct optional_label {
  index value = 0;
  bool has_value = false;

  constexpr optional_label() noexcept = default;
  constexpr optional_label(std::integral auto label) noexcept : value(static_cast<index>(label)), has_value(true) {}
};

struct classes_options {
  optional_label ignore = {};      ///< rows with this label are ignored: loss and gradient 0
  optional_label background = {};  ///< for element-wise losses on one column: the label of no class
};

template <std::integral Label>
struct classes_target {
  static constexpr int labels = 1;
  static constexpr bool has_uniform = false;
  static constexpr int dense_parts = 0;

  Label const* data = nullptr;
  index size = 0;
  optional_label ignore = {}, background = {};

  HONE_HD index label(index i) const noexcept { return static_cast<index>(data[i]); }

  HONE_HD constexpr bool ignoring() const noexcept { return ignore.has_value; }
  /// Always reads the label, so that a kernel reads it once for all tests.
  HONE_HD bool ignores(index i) const noexcept { return (label(i) == ignore.value) & ignore.has_value; }
  HONE_HD bool labels_fit(index i, index columns) const noexcept {
    return static_cast<std::uint64_t>(label(i)) < static_cast<std::uint64_t>(columns);
  }
  HONE_HD double label_weight(index i, numbers weights) const noexcept { return weights[label(i)]; }

  HONE_HD static constexpr bool weighs_rows_alike() noexcept { return true; }
  template <class Number, class Sink>
  HONE_HD void visit(index i, index, Number scale, Sink& sink) const {
    sink.label(label(i), scale);
  }

  HONE_HD constexpr auto dense_views() const { return detail::list(); }
  constexpr classes_target of_rows(index first, index count) const noexcept {
    return {data + first, count, ignore, background};
  }

  template <class See>
  void each_input(See const& see) const {
    see("labels", detail::footprint_of(data, size));
  }
  void check_shape(index rows, index, const char* function = "evaluate") const {
    if (size != rows) detail::fail("%s: %jd labels for %jd rows", function, std::intmax_t(size), std::intmax_t(rows));
  }

  void check_numbers(index) const noexcept {}
  /// Throws hone::invalid_argument if a label is neither in [0, columns) nor ignored.
  void check_values(index rows, index columns, const char* function = "evaluate") const {
    const std::uint64_t largest = ignoring() ? largest_label<true>(rows) : largest_label<false>(rows);
    if (largest < static_cast<std::uint64_t>(columns)) return;
    for (index i = 0; i < rows; ++i)
      if (!labels_fit(i, columns) && !ignores(i))
        detail::fail("%s: the label of row %jd is %jd, must be in [0, %jd)", function, std::intmax_t(i),
                     std::intmax_t(label(i)), std::intmax_t(columns));
  }

 private:
  /// Returns the largest label as an unsigned number, in which negative ones are large, without ignored ones if
  /// `Ignoring`. Two maxima, because one would wait for the previous label.
  template <bool Ignoring>
  std::uint64_t largest_label(index rows) const noexcept {
    const auto at = [this](index i) { return static_cast<std::uint64_t>(Ignoring && ignores(i) ? 0 : label(i)); };
    std::uint64_t even = 0, odd = 0;
    for (index i = 0; i + 1 < rows; i += 2) even = std::max(even, at(i)), odd = std::max(odd, at(i + 1));
    if (rows % 2 != 0) even = std::max(even, at(rows - 1));
    return std::max(even, odd);
  }
};

namespace detail {

template <class Target>
inline constexpr bool is_classes = false;
template <class Label>
inline constexpr bool is_classes<classes_target<Label>> = true;

}  // namespace detail

/// Views labels of any integer type in a std::vector, std::span or another vector (core/contiguous.hpp): row i has the
/// class labels[i]. evaluate throws hone::invalid_argument if a label is outside [0, classes), unless it is `ignore`.
template <class Labels>
constexpr auto classes(Labels&& labels, classes_options options = {}) {
  constexpr bool fit = detail::contiguous_integers<Labels>;
  static_assert(
      fit,
      "classes: the labels must be integers side by side, with a size: a std::vector, std::span, std::array or "
      "Eigen vector; not a pointer, a std::vector<bool> or a std::deque");
  if constexpr (fit) {
    static_assert(detail::outlives_call<Labels>,
                  "classes: labels are viewed, not copied: give the vector a name first");
    return classes_target<detail::number_in<Labels>>{detail::data_of(labels), detail::count_of(labels), options.ignore,
                                                     options.background};
  } else {
    return classes_target<index>{};  // avoids further compiler errors
  }
}

static_assert(row_target<classes_target<int>>);

}  // namespace hone::inline HONE_ABI

#include <hone/core/macros_pop.hpp>
