// SPDX-License-Identifier: MIT
/// A mixture of two targets, as in mixup and cutmix: λ·first + (1-λ)·second.
#pragma once

#include <hone/core/numbers.hpp>
#include <hone/target/target.hpp>

#include <hone/core/macros_push.hpp>

namespace hone::inline HONE_ABI {

template <row_target First, row_target Second>
struct mix_target {
  static constexpr int labels = First::labels + Second::labels;
  static constexpr bool has_uniform = First::has_uniform || Second::has_uniform;
  static constexpr bool over_allowed = allowed_target<First> || allowed_target<Second>;
  static constexpr int dense_parts = First::dense_parts + Second::dense_parts;

  First first;
  Second second;
  double lambda = 1;     ///< of every row, if per_row is false
  numbers lambdas = {};  ///< one per row
  bool per_row = false;

  template <class Number = double>
  HONE_HD Number lambda_of(index i) const noexcept {
    return per_row ? lambdas.as<Number>(i) : static_cast<Number>(lambda);
  }

  HONE_HD constexpr bool ignoring() const noexcept { return first.ignoring() || second.ignoring(); }
  HONE_HD bool ignores(index i) const noexcept { return first.ignores(i) || second.ignores(i); }
  HONE_HD bool labels_fit(index i, index columns) const noexcept {
    return first.labels_fit(i, columns) && second.labels_fit(i, columns);
  }
  HONE_HD double label_weight(index i, numbers weights) const noexcept {
    const double l = lambda_of(i);
    return l * first.label_weight(i, weights) + (1 - l) * second.label_weight(i, weights);
  }

  HONE_HD bool weighs_rows_alike() const noexcept {
    return !per_row && detail::weighs_rows_alike(first) && detail::weighs_rows_alike(second);
  }
  template <class Number, class Sink>
  HONE_HD void visit(index i, index columns, Number scale, Sink& sink) const {
    const auto l = lambda_of<Number>(i);
    first.visit(i, columns, scale * l, sink);
    second.visit(i, columns, scale * (Number(1) - l), sink);
  }

  HONE_HD constexpr auto dense_views() const { return detail::concatenated(first.dense_views(), second.dense_views()); }
  mix_target of_rows(index from, index count) const noexcept
    requires rowwise_target<First> && rowwise_target<Second>
  {
    return {first.of_rows(from, count), second.of_rows(from, count), lambda,
            per_row ? lambdas.part(from, count) : lambdas, per_row};
  }

  template <class See>
  void each_input(See const& see) const {
    detail::each_input(first, see);
    detail::each_input(second, see);
    see("mix lambda", detail::footprint_of(lambdas));
  }
  void check_shape(index rows, index columns) const {
    first.check_shape(rows, columns);
    second.check_shape(rows, columns);
    if (per_row) detail::require_size(lambdas, rows, "mix lambda", "row");
  }
  void check_values(index rows, index columns) const {
    first.check_values(rows, columns);
    second.check_values(rows, columns);
    check_lambdas();
  }
  void check_numbers(index rows) const
    requires free_target<First> && free_target<Second>
  {
    first.check_numbers(rows);
    second.check_numbers(rows);
    check_lambdas();
  }

 private:
  void check_lambdas() const {
    detail::require_values(lambdas, "mix lambda", "row", [](double l) { return l >= 0 && l <= 1; }, "in [0, 1]");
  }
};

namespace detail {

template <class First, class Second>
constexpr void require_mixable() {
  static_assert(row_target<First> && row_target<Second>,
                "mix: both arguments must be targets: wrap labels in hone::classes, a matrix in hone::probabilities");
  static_assert(!weighed_target<First> && !weighed_target<Second>, "mix: weigh_classes must be the outermost target");
  if constexpr (row_target<First> && row_target<Second>)
    static_assert(uniform_alike<First, Second>, "mix: all parts must be smoothed over hone::allowed_classes, or none");
}

}  // namespace detail

/// λ·first + (1-λ)·second with one λ in [0, 1] for all rows; throws otherwise. A row that either target ignores is
/// ignored. (mixup: Zhang et al. 2017, arXiv 1710.09412; cutmix: Yun et al. 2019, arXiv 1905.04899.)
template <class First, class Second>
auto mix(First first, Second second, scalar auto lambda) {
  detail::require_mixable<First, Second>();
  const auto l = static_cast<double>(lambda);
  detail::require(l >= 0 && l <= 1, "mix", "lambda", l, "in [0, 1]");
  return mix_target<First, Second>{first, second, l};
}

/// With one λ in [0, 1] per row, viewed.
template <class First, class Second, class Lambdas = numbers>
  requires(!scalar<std::remove_cvref_t<Lambdas>>)
auto mix(First first, Second second, Lambdas&& lambdas) {
  detail::require_mixable<First, Second>();
  static_assert(detail::makes_numbers<Lambdas>,
                "mix: lambda must be one number, or a std::vector, std::span or Eigen vector of float or double");
  if constexpr (detail::makes_numbers<Lambdas>) {
    return mix_target<First, Second>{first, second, 1, numbers(static_cast<Lambdas&&>(lambdas)), true};
  } else {
    return first;  // avoids further compiler errors
  }
}

}  // namespace hone::inline HONE_ABI

#include <hone/core/macros_pop.hpp>
