// SPDX-License-Identifier: MIT
/// The losses of groups of rows, in double: their sums, per term, and the loss of each row of a group.
#pragma once

#include <hone/core/narrowed.hpp>
#include <hone/cpu/memory/row_layout.hpp>

#include <algorithm>
#include <array>

#include <hone/core/macros_push.hpp>

namespace hone::inline HONE_ABI::on_cpu {

/// Sums over all groups that are added, for N terms, and the losses of the rows of the last group.
template <class A, std::size_t N>
class group_losses {
  using D = pack<double>;
  static constexpr int W = pack<A>::size;
  static_assert(W % D::size == 0);

 public:
  /// `keeps_rows`: the losses of the rows are needed.
  explicit group_losses(bool keeps_rows) noexcept : keeps_rows_(keeps_rows) {}

  /// Begins a group. The losses of its rows are 0 until terms are added.
  void begin(group g) noexcept {
    g_ = g;
    if (keeps_rows_) std::fill_n(rows_, W, 0.0);
  }
  /// Adds factors · loss of term k, per row. A row whose factor is 0 adds 0, whatever its loss is. `varies`: factors
  /// may be 0 or differ from row to row.
  void add(std::size_t k, pack<A> loss, double const (&factors)[std::size_t(W)], bool varies) noexcept {
    if (!g_.tall) {
      if (factors[0] == 0) return;
      const double weighed = factors[0] * static_cast<double>(first_lane(loss));
      sums_[k][0] += weighed, rows_[0] += weighed;
      return;
    }
    typename pack<A>::lanes lanes;
    loss.store(lanes);
    if (varies || g_.rows < W)
      for (int lane = 0; lane < W; ++lane)
        if (lane >= g_.rows || factors[lane] == 0) lanes[lane] = 0;
    double weighed[std::size_t(W)];
    for (int lane = 0; lane < W; ++lane) weighed[lane] = factors[lane] * static_cast<double>(lanes[lane]);
    add(weighed, sums_[k]);
    if (keeps_rows_) add(weighed, rows_);
  }

  /// Returns Σ scale · sum over the terms. A term with scale 0 adds 0, whatever its losses are.
  double total(std::array<double, N> const& scales) const noexcept {
    double total = 0;
    for (std::size_t k = 0; k < N; ++k) {
      if (scales[k] == 0) continue;
      double sum = 0;
      for (int lane = 0; lane < W; ++lane) sum += sums_[k][lane];
      total += scales[k] * sum;
    }
    return total;
  }
  /// Writes the loss of each row of the group.
  void write(A* unreduced) const noexcept {
    for (int lane = 0; lane < g_.rows; ++lane) unreduced[g_.row + lane] = detail::narrowed<A>(rows_[lane]);
  }

 private:
  static void add(double const* x, double* to) noexcept {
    for (int lane = 0; lane < W; lane += D::size) (D::load(to + lane) + D::load(x + lane)).store(to + lane);
  }

  group g_{};
  bool keeps_rows_;
  double sums_[N][std::size_t(W)] = {}, rows_[std::size_t(W)] = {};
};

}  // namespace hone::inline HONE_ABI::on_cpu

#include <hone/core/macros_pop.hpp>
