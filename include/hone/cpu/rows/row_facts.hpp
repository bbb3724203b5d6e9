// SPDX-License-Identifier: MIT
/// What evaluate tells of rows besides their losses, on the CPU: log-sum-exp, predicted class, counts of rows.
#pragma once

#include <hone/cpu/memory/row_layout.hpp>
#include <hone/cpu/simd/math.hpp>
#include <hone/loss/row/statistics.hpp>
#include <hone/loss/row_facts.hpp>

#include <algorithm>
#include <limits>

#include <hone/core/macros_push.hpp>

namespace hone::inline HONE_ABI::on_cpu {

/// One row of a group.
template <class A>
struct row_of_group {
  group_numbers<A> z;
  group_extent<A> extent;
  bool tall;
  int lane;

  index columns() const noexcept { return tall ? column_of<A>(extent.numbers) : extent.numbers; }
  A at(index c) const noexcept { return tall ? z.strip[c * pack<A>::size + lane] : z.of(c >= extent.full)[c]; }
};

/// Whether a number is NaN, by its bits.
template <class A>
bool is_nan(A x) noexcept {
  return !detail::finite(static_cast<double>(x)) && !detail::infinite(x);
}

/// The log-sum-exp of a row and its predicted class, one number at a time, with all cases of NaN and infinities. The
/// row has at least one logit that is not finite, or its maximum is not known.
template <class A>
void look_closely(row_of_group<A> const& row, A& log_sum_exp, int& predicted) noexcept {
  using limits = std::numeric_limits<A>;
  bool nan = false;
  predicted = -1;
  for (index c = 0; c < row.columns(); ++c) {
    if (is_nan(row.at(c)))
      nan = true;
    else if (predicted < 0 || row.at(c) > row.at(predicted))
      predicted = static_cast<int>(c);
  }
  if (nan || detail::infinite(row.at(predicted)))
    log_sum_exp = !nan && row.at(predicted) < A(0) ? -limits::infinity() : limits::quiet_NaN();
  predicted = std::max(predicted, 0);
}

/// Returns the first class of each row of a group whose logit is x, -1 where there is none.
template <class A>
void first_equal(group_numbers<A> z, group_extent<A> extent, bool tall, pack<A> x,
                 int (&to)[std::size_t(pack<A>::size)]) noexcept {
  using V = pack<A>;
  constexpr index W = V::size;
  std::fill_n(to, W, -1);
  if (tall) {
    if (extent.numbers / W > index(1) << std::numeric_limits<A>::digits) return;  // A has not all of their numbers
    V first(-1);
    for (index i = extent.numbers - W; i >= 0; i -= W)
      first = select(V::load(z.strip + i) == x, V(static_cast<A>(column_of<A>(i))), first);
    typename V::lanes lanes;
    first.store(lanes);
    for (int lane = 0; lane < W; ++lane) to[lane] = static_cast<int>(lanes[lane]);
    return;
  }
  for (index i = 0; i < extent.numbers; i += W) {
    A const* const at = z.of(i >= extent.full) + i;
    if (!any(V::load(at) == x)) continue;
    index c = 0;
    while (c < W - 1 && at[c] != first_lane(x)) ++c;
    to[0] = i + c < extent.numbers ? static_cast<int>(i + c) : -1;
    return;
  }
}

/// Writes what is known of the rows of a group before its gradient replaces its logits. factors[k][lane] is 0 for every
/// k if a row counts for nothing. A function of its own: the loops around it would be slower where nobody asks.
template <class Outputs, class A, std::size_t N>
[[gnu::noinline]] void write_row_facts(Outputs const& out, group g, group_numbers<A> const& z,
                                       group_extent<A> const& extent, row::normaliser<pack<A>> const& base,
                                       double const (&factors)[N][std::size_t(pack<A>::size)]) noexcept {
  using V = pack<A>;
  typename V::lanes sums, totals;
  (base.max + base.log_sum).store(sums), base.sum.store(totals);
  int classes[std::size_t(V::size)];
  first_equal(z, extent, g.tall, base.max, classes);
  for (int lane = 0; lane < g.rows; ++lane) {
    A sum = sums[lane];
    int predicted = classes[lane];
    if (std::all_of(factors, factors + N, [lane](auto const& factor) { return factor[lane] == 0; }))
      sum = 0, predicted = -1;
    else if (predicted < 0 || !detail::finite(static_cast<double>(totals[lane])))
      look_closely(row_of_group<A>{z, extent, g.tall, lane}, sum, predicted);
    if (out.log_sum_exp) out.log_sum_exp[g.row + lane] = sum;
    if (out.predicted) out.predicted[g.row + lane] = predicted;
  }
}

/// Writes what is known of a row that counts for nothing; with its loss and its gradient.
template <class Outputs>
void write_no_row_facts(Outputs const& out, index row) noexcept {
  if (out.log_sum_exp) out.log_sum_exp[row] = 0;
  if (out.predicted) out.predicted[row] = -1;
}
template <class Outputs>
void write_row_of_nothing(Outputs const& out, index row, index columns) noexcept {
  write_no_row_facts(out, row);
  if (out.unreduced) out.unreduced[row] = 0;
  if (out.gradient.data) clear_row(out.gradient, row, columns);
}

/// Counts rows by their predicted classes, which have been written. Without classes no row counts, and this writes
/// that.
template <class Outputs, class... Leaf>
void write_row_counts(Outputs const& out, detail::list<Leaf...> const& all, index rows, index columns) noexcept {
  if (!detail::name_of_row_facts(out)) return;
  for (index i = 0; columns == 0 && i < rows; ++i) write_no_row_facts(out, i);
  if (!out.correct && !out.counted) return;
  index correct = 0, counted = 0;
  const auto test = detail::label_test_of(all, columns);
  for (index i = 0; i < rows; ++i)
    if (out.predicted[i] >= 0 && test.counts(i)) ++counted, correct += test.is_label(i, out.predicted[i]);
  if (out.correct) *out.correct = correct;
  if (out.counted) *out.counted = counted;
}

}  // namespace hone::inline HONE_ABI::on_cpu

#include <hone/core/macros_pop.hpp>
