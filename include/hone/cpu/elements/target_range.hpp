// SPDX-License-Identifier: MIT
/// Samples the targets of element-wise losses before any output is written, to reject a mask of 0 and 255, for example.
#pragma once

#include <hone/cpu/elements/segments.hpp>
#include <hone/loss/element/term.hpp>

#include <hone/core/macros_push.hpp>

namespace hone::inline HONE_ABI::on_cpu {

inline constexpr index looked_at = 512, run_looked_at = 16;

/// The numbers of a view in memory order: the address, the row and the column of number i.
template <class T>
struct numbers_of_view;
template <class T>
struct numbers_of_view<matrix_view<T>> {
  matrix_view<T> v;

  index row(index i) const noexcept { return i / v.columns; }
  index column(index i) const noexcept { return i % v.columns; }
  index left(index i) const noexcept { return v.columns - column(i); }
  T* at(index i) const noexcept { return v.row(row(i)) + column(i); }
};
template <class T>
struct numbers_of_view<image_view<T>> {
  image_view<T> v;

  index row(index i) const noexcept { return i / (v.channels * v.pixels) * v.pixels + i % v.pixels; }
  index column(index i) const noexcept { return i / v.pixels % v.channels; }
  index left(index i) const noexcept { return v.images * v.channels * v.pixels - i; }
  T* at(index i) const noexcept { return v.data + i; }
};

/// Calls body(i, n) for runs of n numbers that start at number i: for all of a small matrix, and for an evenly spaced
/// sample of fixed size of a large one, so that the cost does not grow with the matrix.
template <class Body>
void each_run_looked_at(index size, Body const& body) {
  if (size <= looked_at) {
    for (index i = 0; i < size; i += run_looked_at) body(i, std::min(run_looked_at, size - i));
  } else {
    constexpr index runs = looked_at / run_looked_at;
    const index last = size - run_looked_at;
    for (index k = 0; k < runs; ++k) body(last / (runs - 1) * k + last % (runs - 1) * k / (runs - 1), run_looked_at);
  }
}

/// Returns true if an element of a term is not ignored and neither its factor nor one of its weights is 0.
template <class Leaf>
bool counts(Leaf const& leaf, index row, index column) {
  bool some = !leaf.term.targets.ignores(row) && leaf.factor_of_row(row) != 0;
  leaf.term.weights.each([&](auto const& w) {
    if constexpr (requires { w.view; })
      some = some && static_cast<float>(*address(w.view, row, column)) != 0;
    else if constexpr (std::remove_cvref_t<decltype(w)>::of_columns)
      some = some && w.template at<double>(column) != 0;
  });
  return some;
}

/// Fails if a sampled target of an element that counts is outside [0, 1], with a tolerance of 0.01 for rounding.
template <class View, class Leaf>
void check_target_range(View prediction, Leaf const& leaf) {
  if constexpr (requires { decltype(leaf.term.formula)::of_probabilities; }) {
    const index size = detail::rows_of(prediction) * detail::columns_of(prediction);
    leaf.term.targets.views().each([&]<class Targets>(Targets const& view) {
      using V = pack<float>;
      constexpr float minimum = -0.01f, maximum = 1.01f;
      const numbers_of_view<Targets> all{view};
      each_run_looked_at(size, [&](index i, index n) {
        float t[run_looked_at] = {};
        for (index j = 0, m = 0; j < n; j += m) {
          m = std::min(n - j, all.left(i + j));
          convert(all.at(i + j), t + j, m);
        }
        V outside(0);
        for (index j = 0; j < run_looked_at; j += V::size) {
          const V x = V::load(t + j);
          outside += keep((x < V(minimum)) | (V(maximum) < x), V(1));
        }
        if (sum(outside) == 0) return;
        for (index j = 0; j < n; ++j) {
          const index row = all.row(i + j), column = all.column(i + j);
          if ((t[j] < minimum || t[j] > maximum) && counts(leaf, row, column))
            detail::fail("evaluate: the target of row %jd, column %jd is %.9g, must be in [0, 1]", std::intmax_t(row),
                         std::intmax_t(column), static_cast<double>(t[j]));
        }
      });
    });
  }
}

}  // namespace hone::inline HONE_ABI::on_cpu

#include <hone/core/macros_pop.hpp>
