// SPDX-License-Identifier: MIT
/// The losses of rows for a sum over ranks: every row's value, in double, is added to an exact sum.
#pragma once

#include <hone/core/narrowed.hpp>
#include <hone/cpu/distributed/exact_block.hpp>
#include <hone/cpu/rows/rows.hpp>

#include <algorithm>
#include <array>

#include <hone/core/macros_push.hpp>

namespace hone::inline HONE_ABI::on_cpu {

/// Stands in for group_losses. The value of a row is Σ scale · factor · weight · loss over the terms, in their order. A
/// term with scale 0 adds 0, whatever its losses are.
template <class A, std::size_t N>
class row_values {
  using D = pack<double>;
  static constexpr int W = pack<A>::size;

 public:
  row_values(bool keeps_rows, std::array<double, N> const& scales, shared_exact_sum& to) noexcept
      : keeps_rows_(keeps_rows), scales_(scales), values_(to) {}

  void begin(group g) noexcept {
    values_.count(g_.rows);
    g_ = g;
    now_ = values_.next(W);
    std::fill_n(now_, W, 0.0);
    if (keeps_rows_) std::fill_n(rows_, W, 0.0);
  }
  void add(std::size_t k, pack<A> loss, double const (&factors)[std::size_t(W)], bool) noexcept {
    if (!g_.tall) {
      if (factors[0] == 0) return;
      const double weighed = factors[0] * static_cast<double>(first_lane(loss));
      if (scales_[k] != 0) now_[0] += scales_[k] * weighed;
      rows_[0] += weighed;
      return;
    }
    typename pack<A>::lanes lanes;
    loss.store(lanes);
    double weighed[std::size_t(W)];
    for (int lane = 0; lane < W; ++lane) weighed[lane] = static_cast<double>(lanes[lane]);
    for (int lane = 0; lane < W; ++lane)
      if (lane >= g_.rows || factors[lane] == 0) weighed[lane] = 0;
    const D scale(scales_[k]);
    for (int lane = 0; lane < W; lane += D::size) {
      const D w = D::load(factors + lane) * D::load(weighed + lane);
      if (scales_[k] != 0) (D::load(now_ + lane) + scale * w).store(now_ + lane);
      if (keeps_rows_) (D::load(rows_ + lane) + w).store(rows_ + lane);
    }
  }
  /// Writes the loss of each row of the group.
  void write(A* unreduced) const noexcept {
    for (int lane = 0; lane < g_.rows; ++lane) unreduced[g_.row + lane] = detail::narrowed<A>(rows_[lane]);
  }
  /// Adds the values of all groups to the sum that the threads share.
  double total(std::array<double, N> const&) noexcept {
    values_.count(g_.rows);
    values_.flush();
    return 0;
  }

 private:
  group g_{0, 0, false};
  bool keeps_rows_;
  std::array<double, N> const& scales_;
  double* now_ = nullptr;
  double rows_[std::size_t(W)] = {};
  exact_adder values_;
};

/// A row_job whose values go to a sum over ranks. `scales` are the factors of the gradient.
template <class View, class... Leaf>
struct row_job_over_ranks : row_job<View, Leaf...> {
  std::array<double, sizeof...(Leaf)> value_scales;
  shared_exact_sum* sum;

  using losses_type = row_values<typename row_job_over_ranks::A, sizeof...(Leaf)>;
  losses_type losses() const noexcept { return losses_type(this->out.unreduced != nullptr, value_scales, *sum); }
};

}  // namespace hone::inline HONE_ABI::on_cpu

#include <hone/core/macros_pop.hpp>
