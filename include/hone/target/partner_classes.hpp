// SPDX-License-Identifier: MIT
/// Hard targets that are the labels of partner rows.
#pragma once

#include <hone/target/classes.hpp>

#include <hone/core/macros_push.hpp>

namespace hone::inline HONE_ABI {

template <std::integral Label>
struct partner_classes_target {
  static constexpr int labels = 1;
  static constexpr bool has_uniform = false;
  static constexpr int dense_parts = 0;

  classes_target<Label> classes;
  index const* partner = nullptr;
  index size = 0;

  HONE_HD constexpr bool ignoring() const noexcept { return classes.ignoring(); }
  HONE_HD bool ignores(index i) const noexcept { return classes.ignores(partner[i]); }
  HONE_HD bool labels_fit(index i, index columns) const noexcept { return classes.labels_fit(partner[i], columns); }
  HONE_HD double label_weight(index i, numbers weights) const noexcept {
    return classes.label_weight(partner[i], weights);
  }

  template <class Number, class Sink>
  HONE_HD void visit(index i, index columns, Number scale, Sink& sink) const {
    classes.visit(partner[i], columns, scale, sink);
  }

  HONE_HD constexpr auto dense_views() const { return detail::list(); }
  /// The labels stay those of all rows, because a partner may be any of them.
  constexpr partner_classes_target of_rows(index first, index count) const noexcept {
    return {classes, partner + first, count};
  }

  template <class See>
  void each_input(See const& see) const {
    classes.each_input(see);
    see("partners", detail::footprint_of(partner, size));
  }
  void check_shape(index rows, index columns) const {
    classes.check_shape(rows, columns);
    if (size != rows) detail::fail("evaluate: %jd partners for %jd rows", std::intmax_t(size), std::intmax_t(rows));
  }
  void check_numbers(index rows) const {
    for (index i = 0; i < rows; ++i)
      if (!(partner[i] >= 0 && partner[i] < rows))
        detail::fail("evaluate: the partner of row %jd is %jd, must be in [0, %jd)", std::intmax_t(i),
                     std::intmax_t(partner[i]), std::intmax_t(rows));
  }
  void check_values(index rows, index columns) const {
    check_numbers(rows);
    classes.check_values(rows, columns);
  }
};

namespace detail {

template <class R>
concept contiguous_indices = contiguous<R> && std::same_as<number_in<R>, index>;

}  // namespace detail

/// Row i has the class labels[partner[i]]: the second target of hone::mix after a mixup or cutmix. Both vectors are
/// viewed. On CUDA they are in device memory, and partners outside the rows are not detected.
///
///     const auto draw = hone::mixup{.alpha = 0.2}.draw(seed, step, n);
///     hone::mix(hone::classes(labels), hone::partner_classes(labels, draw.partner), draw.lambda)
template <class Labels, class Partners>
constexpr auto partner_classes(Labels&& labels, Partners&& partner, classes_options options = {}) {
  constexpr bool fit = detail::contiguous_integers<Labels> && detail::contiguous_indices<Partners>;
  static_assert(fit,
                "partner_classes: the labels must be a std::vector or std::span of integers, the partners one of "
                "hone::index, such as draw.partner");
  if constexpr (fit) {
    static_assert(detail::outlives_call<Labels> && detail::outlives_call<Partners>,
                  "partner_classes: labels and partners are viewed, not copied: give the vectors names first");
    return partner_classes_target<detail::number_in<Labels>>{classes(labels, options), detail::data_of(partner),
                                                             detail::count_of(partner)};
  } else {
    return classes_target<index>{};  // avoids further compiler errors
  }
}

static_assert(row_target<partner_classes_target<int>>);

}  // namespace hone::inline HONE_ABI

#include <hone/core/macros_pop.hpp>
