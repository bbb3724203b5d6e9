// SPDX-License-Identifier: MIT
/// The losses of a group of rows, in double: the sum over the rows, and the loss of each row.
#pragma once

#include <hone/core/narrowed.hpp>
#include <hone/cpu/memory/row_layout.hpp>

#include <hone/core/macros_push.hpp>

namespace hone::inline HONE_ABI::on_cpu {

template <class A>
class group_losses {
  using D = pack<double>;
  static constexpr int W = pack<A>::size;
  static_assert(W % D::size == 0);

 public:
  explicit group_losses(group g) noexcept : g_(g) {}

  /// Adds factors · loss of a term, per row; returns their sum times `scale`, or 0 if that is 0. A row whose factor is
  /// 0 adds 0, whatever its loss is. `varies`: factors may be 0 or differ from row to row.
  double add(pack<A> loss, double const (&factors)[std::size_t(W)], bool varies, double scale) noexcept {
    if (!g_.tall) {
      if (factors[0] == 0) return 0;
      const double weighed = factors[0] * static_cast<double>(first_lane(loss));
      losses_[0] += weighed;
      return scale != 0 ? scale * weighed : 0;
    }
    typename pack<A>::lanes lanes;
    loss.store(lanes);
    if (varies || g_.rows < W)
      for (int lane = 0; lane < W; ++lane)
        if (lane >= g_.rows || factors[lane] == 0) lanes[lane] = 0;
    double weighed[std::size_t(W)];
    for (int lane = 0; lane < W; ++lane) weighed[lane] = factors[lane] * static_cast<double>(lanes[lane]);
    D sums = D::load(weighed);
    for (int lane = D::size; lane < W; lane += D::size) sums += D::load(weighed + lane);
    for (int lane = 0; lane < W; lane += D::size)
      (D::load(losses_ + lane) + D::load(weighed + lane)).store(losses_ + lane);
    return scale != 0 ? scale * sum(sums) : 0;
  }

  /// Writes the loss of each row of the group.
  void write(A* unreduced) const noexcept {
    for (int lane = 0; lane < g_.rows; ++lane) unreduced[g_.row + lane] = detail::narrowed<A>(losses_[lane]);
  }

 private:
  group g_;
  double losses_[std::size_t(W)] = {};
};

}  // namespace hone::inline HONE_ABI::on_cpu

#include <hone/core/macros_pop.hpp>
