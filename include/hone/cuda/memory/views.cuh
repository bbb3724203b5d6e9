// SPDX-License-Identifier: MIT
/// The views that a call reads besides its outputs, and their common properties.
#pragma once

#include <hone/core/view_check.hpp>
#include <hone/cuda/memory/vector.cuh>
#include <hone/loss/box/term.hpp>
#include <hone/loss/element/term.hpp>
#include <hone/loss/row/skipped_rows.hpp>

#include <hone/core/macros_push.hpp>

namespace hone::inline HONE_ABI::on_cuda {

/// Returns the views that a term reads for every element: its teacher, then its target's dense parts.
template <row_term Term>
HONE_HD constexpr auto views_of(Term const& term) {
  if constexpr (row::has_teacher<Term> && row::has_target<Term>) {
    return detail::concatenated(detail::list(term.teacher), term.target.dense_views());
  } else if constexpr (row::has_teacher<Term>) {
    return detail::list(term.teacher);
  } else if constexpr (row::has_target<Term>) {
    return term.target.dense_views();
  } else {
    return detail::list();
  }
}
template <elementwise Term>
HONE_HD constexpr auto views_of(Term const& term) {
  return term.views();
}
template <boxwise Term>
HONE_HD constexpr auto views_of(Term const& term) {
  return detail::list(term.boxes);
}
template <row_term Term>
inline constexpr int view_count = int(row::has_teacher<Term>) + detail::target_of_term<Term>::dense_parts;

/// Returns a prediction, followed by all views of an objective.
template <class View, class... Leaf>
HONE_HD constexpr auto all_views(View prediction, detail::list<Leaf...> const& leaves) {
  return leaves.apply(
      [&](Leaf const&... l) { return detail::concatenated(detail::list(prediction), views_of(l.term)...); });
}

/// Returns whether the numbers of a view have no gaps between them.
template <class T>
bool without_gaps(matrix_view<T> v) noexcept {
  return v.row_stride == v.columns || v.rows <= 1;
}
template <class T>
bool without_gaps(image_view<T>) noexcept {
  return true;
}

/// Returns whether every row of a matrix, every plane of images, or the view as one line is aligned for vectors of N.
template <int N, class T>
bool lines_aligned(matrix_view<T> v, bool one_line) noexcept {
  return is_aligned<N>(v.data) && (one_line || v.rows <= 1 || is_aligned<N>(v.data + v.row_stride));
}
template <int N, class T>
bool lines_aligned(image_view<T> v, bool one_line) noexcept {
  return is_aligned<N>(v.data) && (one_line || is_aligned<N>(v.data + v.pixels));
}

/// The same for all views of a call, and its gradient if that is given.
template <class Job>
bool all_without_gaps(Job const& job) {
  bool gapless = !job.out.gradient.data || without_gaps(job.out.gradient);
  all_views(job.prediction, job.leaves).each([&](auto const& v) { gapless = gapless && without_gaps(v); });
  return gapless;
}
template <int N, class Job>
bool all_aligned(Job const& job, bool one_line) {
  bool wide = !job.out.gradient.data || lines_aligned<N>(job.out.gradient, one_line);
  all_views(job.prediction, job.leaves).each([&](auto const& v) { wide = wide && lines_aligned<N>(v, one_line); });
  return wide;
}

/// Returns whether each row of v is aligned for vectors of N behind as many numbers as the same row of `first`.
template <int N, class T, class U>
bool rows_aligned_like(matrix_view<T> v, matrix_view<U> first) noexcept {
  constexpr index numbers = index(alignof(vector<T, N>) / sizeof(T));
  static_assert(N % numbers == 0);
  return numbers_before_aligned<numbers>(v.data) == numbers_before_aligned<N>(first.data) % numbers &&
         (v.rows <= 1 || (v.row_stride - first.row_stride) % numbers == 0);
}
/// The same for all views of a call, and its gradient if that is given: whether vectors of a row begin at the same
/// column in all of them.
template <int N, class Job>
bool all_aligned_alike(Job const& job) {
  const auto first = job.prediction;
  bool alike = !job.out.gradient.data || rows_aligned_like<N>(job.out.gradient, first);
  all_views(first, job.leaves).each([&](auto const& v) { alike = alike && rows_aligned_like<N>(v, first); });
  return alike;
}

}  // namespace hone::inline HONE_ABI::on_cuda

#include <hone/core/macros_pop.hpp>
