// SPDX-License-Identifier: MIT
/// Labels of 32 or 64 bits, decided at run time, so that the two do not double every loop; and the targets made of
/// them.
#pragma once

#include <hone.h>
#include <hone/c/arrays.hpp>
#include <hone/cpu/elements/strips.hpp>
#include <hone/loss/element/term.hpp>
#include <hone/target/classes.hpp>
#include <hone/target/mix.hpp>
#include <hone/target/partner_classes.hpp>
#include <hone/target/smooth.hpp>
#include <hone/target/weigh_classes.hpp>

#include <cstdint>

#include <hone/core/macros_push.hpp>

namespace hone::inline HONE_ABI::c {

/// hone::classes, or hone::partner_classes if there are partners, of labels of either width.
struct any_classes {
  static constexpr int labels = 1;
  static constexpr bool has_uniform = false;
  static constexpr int dense_parts = 0;

  void const* data = nullptr;
  index size = 0;
  bool wide = false;
  index const* partner = nullptr;
  index partners = 0;
  optional_label ignore = {};

  index label(index i) const noexcept {
    if (partner) i = partner[i];
    return wide ? static_cast<std::int64_t const*>(data)[i] : static_cast<std::int32_t const*>(data)[i];
  }
  bool ignoring() const noexcept { return ignore.has_value; }
  bool ignores(index i) const noexcept { return ignore.has_value && label(i) == ignore.value; }
  bool labels_fit(index i, index columns) const noexcept {
    return static_cast<std::uint64_t>(label(i)) < static_cast<std::uint64_t>(columns);
  }
  double label_weight(index i, numbers weights) const noexcept { return weights[label(i)]; }
  static constexpr bool weighs_rows_alike() noexcept { return true; }
  template <class Number, class Sink>
  void visit(index i, index, Number scale, Sink& sink) const {
    sink.label(label(i), scale);
  }
  constexpr auto dense_views() const { return detail::list(); }

  template <class See>
  void each_input(See const& see) const {
    with_target([&](auto const& t) { detail::each_input(t, see); });
  }
  void check_shape(index rows, index columns) const {
    with_target([&](auto const& t) { t.check_shape(rows, columns); });
  }
  void check_values(index rows, index columns) const {
    with_target([&](auto const& t) { t.check_values(rows, columns); });
  }
  void check_numbers(index rows) const {
    with_target([&](auto const& t) { t.check_numbers(rows); });
  }

 private:
  /// Calls body with hone's own target of these labels.
  template <class Body>
  void with_target(Body const& body) const {
    const auto with = [&]<class Label>(Label const* of) {
      const classes_target<Label> t{of, size, ignore, {}};
      if (partner)
        body(partner_classes_target<Label>{t, partner, partners});
      else
        body(t);
    };
    wide ? with(static_cast<std::int64_t const*>(data)) : with(static_cast<std::int32_t const*>(data));
  }
};
static_assert(row_target<any_classes> && free_target<any_classes>);

/// The labels of a vector; fails if they are not there or no integers.
inline any_classes labels_of(hone_vector const& v, const char* name, optional_label ignore) {
  if (v.dtype != HONE_INT32 && v.dtype != HONE_INT64)
    detail::fail("dtype of %s is %d (%s), must be int32 or int64", name, int(v.dtype), name_of(v.dtype));
  if (v.size < 0 || (v.size > 0 && !v.data))
    detail::fail("%s has %jd labels%s", name, std::intmax_t(v.size), v.data ? "" : " at NULL");
  return {v.data, v.size, v.dtype == HONE_INT64, nullptr, 0, ignore};
}

/// Smoothed labels, or two smoothed labels mixed by lambda. Labels that are not mixed are mixed with themselves at
/// lambda 1: the second part has weight 0, which changes no bit.
using smooth_labels = smooth_target<mix_target<any_classes, any_classes>>;
using weighed_labels = weigh_classes_target<smooth_labels>;

inline smooth_labels smooth_labels_of(hone_targets const& t, optional_label ignore, double smoothing,
                                      bool leave_one_out) {
  const any_classes first = labels_of(t.labels, "labels", ignore);
  any_classes second = first;
  const bool by_labels = is_present(t.mixed_labels), by_partners = is_present(t.partners);
  const numbers lambdas = numbers_of(t.lambdas, "lambdas");
  if (by_labels && by_partners)
    detail::fail("mixed_labels and partners are both given, one of them says the second label");
  const bool given = is_present(t.lambdas);
  if (given && !by_labels && !by_partners) detail::fail("lambdas are given, but neither mixed_labels nor partners");
  if (!given && (by_labels || by_partners)) detail::fail("lambdas are missing beside mixed_labels or partners");
  if (by_labels) second = labels_of(t.mixed_labels, "mixed_labels", ignore);
  if (by_partners) {
    if (t.partners.size < 0 || !t.partners.data)
      detail::fail("partners has %jd rows%s", std::intmax_t(t.partners.size), t.partners.data ? "" : " at NULL");
    if (t.partners.dtype != HONE_INT64)
      detail::fail("dtype of partners is %d (%s), must be int64", int(t.partners.dtype), name_of(t.partners.dtype));
    second.partner = static_cast<index const*>(t.partners.data), second.partners = t.partners.size;
  }
  mix_target<any_classes, any_classes> mixed{first, second, 1, lambdas, given};
  if (lambdas.size() == 1) {  // one for all rows
    mixed.lambda = lambdas[0], mixed.lambdas = {}, mixed.per_row = false;
    require(mixed.lambda >= 0 && mixed.lambda <= 1, "lambda", mixed.lambda, "in [0, 1]");
  }
  return {mixed, smoothing, leave_one_out};
}

/// One-hot targets of elements from labels of either width, as hone::classes beside an element-wise loss.
struct one_hot_labels {
  static constexpr bool dense = false;

  any_classes labels;
  optional_label background;

  constexpr auto views() const { return detail::list(); }
  bool ignoring() const noexcept { return labels.ignoring(); }
  bool ignores(index i) const noexcept { return labels.ignores(i); }
  void check_shape(auto prediction) const {
    const index columns = detail::columns_of(prediction);
    labels.check_shape(detail::rows_of(prediction), columns);
    if (background.has_value && background.value >= 0 && background.value < columns)
      detail::fail("background is %jd, must not be one of the %jd columns", std::intmax_t(background.value),
                   std::intmax_t(columns));
  }
  /// Fails if one column has a label 1, because 0 and 1 then are those of a binary classifier, whose positive is 1.
  void check_values(index rows, index columns) const {
    if (columns != 1 || background.has_value) return;
    for (index i = 0; i < rows; ++i)
      if (labels.label(i) == 1 && !labels.ignores(i))
        detail::fail("prediction has 1 column, and labels would name 0 as its class: give 0 and 1 as numbers");
  }
};
template <class A>
void fill_targets(one_hot_labels const& targets, on_cpu::segment s, index columns, A* to, A* part) noexcept {
  const auto fill = [&]<class Label>(Label const* of) {
    on_cpu::fill_targets(one_hot_targets<Label>{{of, targets.labels.size, {}, {}}}, s, columns, to, part);
  };
  void const* const of = targets.labels.data;
  targets.labels.wide ? fill(static_cast<std::int64_t const*>(of)) : fill(static_cast<std::int32_t const*>(of));
}

}  // namespace hone::inline HONE_ABI::c

#include <hone/core/macros_pop.hpp>
