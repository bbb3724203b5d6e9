// SPDX-License-Identifier: MIT
/// Rows in three stages, each of another row at the same time, so that loads, arithmetic and stores overlap:
///   look    at row i + 1: maxima, and sums of logits
///   weigh   row i: exponentials, which are kept, and their sums
///   write   row i - 1: the gradient, from what was kept
#pragma once

#include "../lanes.hpp"

#include <algorithm>

namespace bench {

/// What a twin on rows says about its loss:
///   unroll             registers of a stage that are worked on together: 1 or 2
///   kept               how many floats per column stay from weigh to write
///   seen, weighed      registers that look and weigh accumulate, value-initialised; `seen` has start()
///   peaks, rates       numbers of a row that weigh and write need
///   look(seen&, lanes, row, j), add(seen&, seen)         of the logits at j
///   peaks_of(seen)
///   weigh(weighed&, lanes, peaks, row, j, keep), add(weighed&, weighed)    keep[k] is where kept number k goes
///   finish(seen, peaks, weighed, row, keep, rates&)      returns the loss of the row; may change what was kept
///   write(lanes, rates, row, j, keep)                    returns the gradient
///   gradient(row)
template <class Rows, bool past>
class pipeline {
 public:
  static std::size_t scratch_bytes(index columns) {
    return static_cast<std::size_t>(2 * Rows::kept * padded(columns)) * sizeof(float);
  }

  static double run(Rows const& rows, index begin, index end, float* scratch) {
    pipeline p(rows, scratch);
    if (begin < end) p.template step<true, false, false>(begin - 1);
    for (index i = begin; i <= end; ++i) {
      p.turn();
      if (i == begin)
        i + 1 < end ? p.template step<true, true, false>(i) : p.template step<false, true, false>(i);
      else if (i == end)
        p.template step<false, false, true>(i);
      else
        i + 1 < end ? p.template step<true, true, true>(i) : p.template step<false, true, true>(i);
      if (i < end) p.finish(i);
    }
    if constexpr (past) stream_fence();
    return p.loss_;
  }

 private:
  static constexpr int unroll = Rows::unroll;
  static index padded(index columns) { return (columns + 95) / 16 * 16; }
  using seen = typename Rows::seen;
  using weighed = typename Rows::weighed;

  Rows rows_;
  float *weighing_[Rows::kept], *writing_[Rows::kept];
  seen seen_{};       ///< of row i + 1
  seen last_seen_{};  ///< of row i
  weighed weighed_{};
  typename Rows::peaks peaks_{};
  typename Rows::rates rates_{};
  double loss_ = 0;

  pipeline(Rows const& rows, float* scratch) : rows_(rows) {
    for (int k = 0; k < Rows::kept; ++k) {
      weighing_[k] = scratch + 2 * k * padded(rows.columns);
      writing_[k] = weighing_[k] + padded(rows.columns);
    }
  }

  /// What was looked at is weighed next, and what was weighed is written.
  BENCH_INLINE void turn() {
    last_seen_ = seen_;
    peaks_ = rows_.peaks_of(last_seen_);
    for (int k = 0; k < Rows::kept; ++k) std::swap(weighing_[k], writing_[k]);
  }

  template <bool Look, bool Weigh, bool Write>
  BENCH_INLINE void step(index i) {
    const Rows rows = rows_;
    const auto peaks = peaks_;
    const auto rates = rates_;
    seen s[unroll];
    weighed w[unroll]{};
    for (seen& x : s) x = seen::start();
    float *keep[Rows::kept], *kept[Rows::kept];
    for (int k = 0; k < Rows::kept; ++k) keep[k] = weighing_[k], kept[k] = writing_[k];

    const index columns = rows.columns;
    index head = 0, j = 0;  // numbers before the first that is stored past the caches
    if constexpr (Write && past) {
      head = until_aligned(rows.gradient(i - 1), columns);
      if (head > 0) write(rows, first_lanes{static_cast<int>(head)}, rates, i - 1, 0, kept);
    }
    for (; j + head + unroll * lanes <= columns; j += unroll * lanes) {
#pragma GCC unroll 2
      for (int u = 0; u < unroll; ++u) {
        const index at = j + u * lanes;
        if constexpr (Look) rows.look(s[u], whole{}, i + 1, at);
        if constexpr (Weigh) rows.weigh(w[u], whole{}, peaks, i, at, keep);
        if constexpr (Write && past)
          stream(rows.gradient(i - 1) + head + at, rows.write(whole{}, rates, i - 1, head + at, kept));
        else if constexpr (Write)
          write(rows, whole{}, rates, i - 1, at, kept);
      }
    }
    for (; j < columns; j += lanes) {
      const first_lanes some{static_cast<int>(std::min<index>(columns - j, lanes))};
      if constexpr (Look) rows.look(s[0], some, i + 1, j);
      if constexpr (Weigh) rows.weigh(w[0], some, peaks, i, j, keep);
      if constexpr (Write) {
        const index left = columns - j - head;
        if (left > 0)
          write(rows, first_lanes{static_cast<int>(std::min<index>(left, lanes))}, rates, i - 1, j + head, kept);
      }
    }
    for (int u = 1; u < unroll; ++u) rows.add(s[0], s[u]), rows.add(w[0], w[u]);
    if constexpr (Look) seen_ = s[0];
    if constexpr (Weigh) weighed_ = w[0];
  }

  template <class Lanes>
  BENCH_INLINE static void write(Rows const& rows, Lanes some, typename Rows::rates const& rates, index i, index j,
                                 float* const* kept) {
    some.store(rows.gradient(i) + j, rows.write(some, rates, i, j, kept));
  }

  void finish(index i) { loss_ += rows_.finish(last_seen_, peaks_, weighed_, i, weighing_, rates_); }
};

/// The sum of the losses of n rows, by three-stage pipelines on all threads.
template <class Rows>
double run_pipeline(hone::cpu const& cpu, Rows const& rows, index n, bool past) {
  const auto with = [&]<bool p>() {
    using line = pipeline<Rows, p>;
    return split(cpu, n, 4, line::scratch_bytes(rows.columns),
                 [&](index begin, index end, float* scratch) { return line::run(rows, begin, end, scratch); });
  };
  return past ? with.template operator()<true>() : with.template operator()<false>();
}

}  // namespace bench
