// SPDX-License-Identifier: MIT
/// Real numbers as targets of bins: each value is split between the two nearest bins.
#pragma once

#include <hone/core/error.hpp>
#include <hone/target/target.hpp>

#include <hone/core/macros_push.hpp>

namespace hone::inline HONE_ABI {

struct two_hot_options {
  optional_real ignore = {};  ///< rows with exactly this value are ignored: loss and gradient 0
  optional_real clamp = {};   ///< values are clamped to [0, K-1-clamp] first; finite, >= 0
};

/// With y the row's value in [0, K-1] and l = floor(y): q is l + 1 - y at bin l and y - l at bin l + 1.
struct two_hot_target {
  static constexpr int labels = 2;
  static constexpr bool has_uniform = false;
  static constexpr int dense_parts = 0;

  numbers values;
  optional_real ignore = {}, clamp = {};

  HONE_HD constexpr bool ignoring() const noexcept { return ignore.has_value; }
  HONE_HD bool ignores(index i) const noexcept { return (values[i] == ignore.value) & ignore.has_value; }
  HONE_HD bool labels_fit(index i, index columns) const noexcept {
    const double y = values[i];
    return clamp.has_value ? y == y : y >= 0 && y <= static_cast<double>(columns - 1);
  }
  HONE_HD double label_weight(index i, numbers weights) const noexcept {
    const auto p = place_of<double>(i, weights.size());
    return (1 - p.share) * weights[p.lower] + p.share * weights[p.upper];
  }

  template <class Number, class Sink>
  HONE_HD void visit(index i, index columns, Number scale, Sink& sink) const {
    using plain = std::conditional_t<sizeof(Number) == sizeof(float), float, double>;  // an operand need not round down
    const auto p = place_of<plain>(i, columns);
    sink.label(p.lower, scale * static_cast<Number>(1 - p.share));
    sink.label(p.upper, scale * static_cast<Number>(p.share));
  }

  HONE_HD auto dense_views() const { return detail::list(); }
  two_hot_target of_rows(index first, index count) const noexcept { return {values.part(first, count), ignore, clamp}; }

  template <class See>
  void each_input(See const& see) const {
    see("two_hot values", detail::footprint_of(values));
  }
  void check_shape(index rows, index) const {
    if (values.size() != rows)
      detail::fail("evaluate: %jd two_hot values for %jd rows", std::intmax_t(values.size()), std::intmax_t(rows));
  }
  void check_values(index rows, index columns) const {
    check_values(rows, columns, [](index) { return true; });
  }
  /// Checks the rows for which counts(i) is true; the values of other rows are not used.
  template <class Counts>
  void check_values(index rows, index columns, Counts const& counts) const {
    for (index i = 0; i < rows; ++i)
      if (!labels_fit(i, columns) && !ignores(i) && counts(i))
        detail::fail("evaluate: the two_hot value of row %jd is %.9g, must be in [0, %jd]", std::intmax_t(i), values[i],
                     std::intmax_t(columns - 1));
  }

 private:
  template <class Number>
  struct place {
    index lower, upper;
    Number share;  // share: of the upper bin
  };

  /// Returns the bins of a value in range, and some bins of the row for any other value.
  template <class Number>
  HONE_HD place<Number> place_of(index i, index columns) const noexcept {
    const index last = columns - 1;
    Number y = values.as<Number>(i), limit = static_cast<Number>(static_cast<double>(last) - clamp.value);
    if (!(limit > 0)) limit = 0;
    y = y > limit ? limit : y >= 0 ? y : Number(0);
    const auto lower = static_cast<index>(y);
    return {lower, lower < last ? lower + 1 : last, y - static_cast<Number>(lower)};
  }
};

/// Views one number in [0, K-1] per row, `float` or `double`: the bins floor(y) and floor(y) + 1 split the weight of
/// the row so that Σ q i = y. evaluate throws hone::invalid_argument if a value is outside, unless it is `ignore`; with
/// `clamp`, values outside are clamped.
template <class Values>
auto two_hot(Values&& values, two_hot_options options = {}) {
  static_assert(detail::makes_numbers<Values>,
                "two_hot: the values must be a std::vector or std::span of float or double");
  const optional_real clamp = options.clamp;
  detail::require(clamp.value >= 0 && detail::finite(clamp.value), "two_hot", "clamp", clamp.value,
                  "finite and not negative");
  detail::require(options.ignore.value == options.ignore.value, "two_hot", "ignore", options.ignore.value, "a number");
  return two_hot_target{numbers(static_cast<Values&&>(values)), options.ignore, clamp};
}

static_assert(row_target<two_hot_target>);

}  // namespace hone::inline HONE_ABI

#include <hone/core/macros_pop.hpp>
