// SPDX-License-Identifier: MIT
/// A look at the targets of element-wise losses before anything is written: a mask of 0 and 255 is none of 0 and 1.
#pragma once

#include <hone/cpu/elements/segments.hpp>
#include <hone/loss/element/term.hpp>

#include <hone/core/macros_push.hpp>

namespace hone::inline HONE_ABI::on_cpu {

inline constexpr index looked_at = 512, run_looked_at = 16;

/// The numbers of a view in the order of memory: where number i lies, and in which row and column.
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

/// Calls body(i, n) for runs of a size that is the same for all matrices: all of a small one, and an even sample of a
/// large one, so that the look costs nothing that grows.
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

/// Whether an element counts for a term, its weights considered.
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

/// Targets outside [0, 1] of elements that count throw, if they are among those looked at; rounding is allowed for.
template <class View, class Leaf>
void check_target_range(View prediction, Leaf const& leaf) {
  if constexpr (requires { decltype(leaf.term.formula)::of_probabilities; }) {
    const index size = detail::rows_of(prediction) * detail::columns_of(prediction);
    leaf.term.targets.views().each([&]<class Targets>(Targets const& view) {
      using V = pack<float>;
      constexpr float least = -0.01f, most = 1.01f;
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
          outside += keep((x < V(least)) | (V(most) < x), V(1));
        }
        if (sum(outside) == 0) return;
        for (index j = 0; j < n; ++j) {
          const index row = all.row(i + j), column = all.column(i + j);
          if ((t[j] < least || t[j] > most) && counts(leaf, row, column))
            detail::fail("evaluate: the target of row %jd, column %jd is %.9g, must be in [0, 1]", std::intmax_t(row),
                         std::intmax_t(column), static_cast<double>(t[j]));
        }
      });
    });
  }
}

}  // namespace hone::inline HONE_ABI::on_cpu

#include <hone/core/macros_pop.hpp>
