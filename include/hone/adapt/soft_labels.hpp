// SPDX-License-Identifier: MIT
/// Writes a target as probabilities, for trainers whose loss reads soft labels from memory, such as ggml-opt. hone's
/// own losses need no such array.
#pragma once

#include <hone/core/error.hpp>
#include <hone/core/number.hpp>
#include <hone/core/overlap.hpp>
#include <hone/core/view_check.hpp>
#include <hone/target/target.hpp>

#include <type_traits>

#include <hone/core/macros_push.hpp>

namespace hone::inline HONE_ABI::adapt {

namespace detail {

/// A sink of a target's parts that adds them to a row.
template <class T>
struct row_sink {
  using A = accumulator_t<T>;

  T* row;
  index i, columns;

  void add(index c, double weight) const noexcept { row[c] = static_cast<T>(A(row[c]) + static_cast<A>(weight)); }
  void label(index c, double weight) const noexcept { add(c, weight); }
  void uniform(double each) const noexcept {
    for (index c = 0; c < columns; ++c) add(c, each);
  }
  template <class Part>
  void dense(matrix_view<Part> q, double weight) const noexcept {
    for (index c = 0; c < columns; ++c)
      add(c, weight * static_cast<double>(static_cast<accumulator_t<Part>>(q.row(i)[c])));
  }
  template <class Part>
  void dense(image_view<Part> q, double weight) const noexcept {
    Part* const pixel = q.data + i / q.pixels * q.channels * q.pixels + i % q.pixels;
    for (index c = 0; c < columns; ++c)
      add(c, weight * static_cast<double>(static_cast<accumulator_t<Part>>(pixel[c * q.pixels])));
  }
};

}  // namespace detail

/// Writes q of every row into `labels`, rows x classes in host memory. The padding of strided rows is neither read nor
/// written, so of a padded vocabulary, view the classes that exist, with the padded size as row_stride:
///
///     hone::adapt::write_soft_labels(hone::smooth(hone::classes(y), 0.1), hone::matrix_view{to, n, classes, padded});
///
/// Throws hone::invalid_argument, and writes nothing, if a shape, a label or a λ is not valid, if the target views
/// memory of `labels`, or if a row is ignored: a row of zeros has no loss, but the gradient softmax(z) in trainers that
/// compute softmax(z) - q.
template <class Target, class T>
void write_soft_labels(Target const& target, matrix_view<T> labels) {
  const char* const function = "write_soft_labels";
  static_assert(row_target<Target>,
                "write_soft_labels: the first argument must be a target: wrap labels in hone::classes, a matrix in "
                "hone::probabilities");
  static_assert(!weighed_target<Target>,
                "write_soft_labels: class weights are no part of soft labels, whose rows have the sum 1");
  static_assert(!allowed_target<Target>, "write_soft_labels: allowed classes are known from logits only");
  static_assert(element<T>, "write_soft_labels: the labels are float, double, or a 16-bit floating-point type");
  if constexpr (row_target<Target> && element<T>) {  // suppresses further errors of the compiler
    hone::detail::require_valid(labels, "labels", function);
    target.check_shape(labels.rows, labels.columns);
    target.check_values(labels.rows, labels.columns);
    hone::detail::each_input(target, [&](const char* name, hone::detail::footprint read) {
      if (hone::detail::overlap(read, hone::detail::footprint_of(labels)))
        hone::detail::fail("%s: labels overlap %s, must be apart", function, name);
    });
    for (index i = 0; target.ignoring() && i < labels.rows; ++i)
      if (target.ignores(i))
        hone::detail::fail("%s: row %jd is ignored, soft labels cannot say so: leave the row out", function,
                           std::intmax_t(i));
    for (index i = 0; i < labels.rows; ++i) {
      T* const row = labels.row(i);
      for (index c = 0; c < labels.columns; ++c) row[c] = T(0);
      const detail::row_sink<T> sink{row, i, labels.columns};
      target.visit(i, labels.columns, 1.0, sink);
    }
  }
}

}  // namespace hone::inline HONE_ABI::adapt

#include <hone/core/macros_pop.hpp>
