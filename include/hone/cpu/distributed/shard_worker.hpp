// SPDX-License-Identifier: MIT
/// The rows of a shard of the classes on one thread, in steps between which ranks add up what they know of each row.
#pragma once

#include <hone/core/view_check.hpp>
#include <hone/cpu/rows/worker.hpp>
#include <hone/distributed/row_message.hpp>

#include <algorithm>
#include <limits>

#include <hone/core/macros_push.hpp>

namespace hone::inline HONE_ABI::on_cpu {

/// gather: what the shard knows of a row. later, close: the sums of these sweeps, from what is known of all classes.
/// finish: the outputs.
enum class shard_step : unsigned char { gather, later, close, finish };

/// Numbers of a block of rows, row after row: those that ranks exchange (row::message_of), and each term's factor ·
/// loss.
struct block_numbers {
  index first = 0;  ///< the first row
  double *maxima, *sums, *later, *close, *losses;
  double const* own;  ///< the maxima of the shard
  void* weights;      ///< exp(z - max) of the block's rows, group after group
};

/// The weights of softmax<> are kept from the first step on. If terms have others, all are computed again in each step:
/// each would take as much memory as the block.
template <class View, class... Leaf>
class shard_worker : row_worker<row_job<View, Leaf...>> {
  using base_type = row_worker<row_job<View, Leaf...>>;
  using base_type::W;
  using typename base_type::A;
  using typename base_type::context;
  using typename base_type::job_type;
  using typename base_type::V;
  static constexpr bool powers = base_type::powers;

 public:
  using numbers_of_row = row::message_of<typename Leaf::term_type...>;
  using base_type::bytes;
  static constexpr bool keeps_weights = ((weight_strips<typename Leaf::term_type> == 0) && ...);

  /// The numbers of the weights of this many rows.
  static index kept_weights(View logits, index rows) noexcept {
    const bool tall = is_tall(logits);
    const index groups = tall ? (rows + W - 1) / W : rows;
    return keeps_weights ? groups * packs_of<A>(tall, detail::columns_of(logits)) * W : 0;
  }

  shard_worker(job_type const& job, std::byte* memory, block_numbers block) : base_type(job, memory), block_(block) {}

  /// Runs a step for rows [begin, end).
  template <shard_step Step>
  HONE_FLATTEN void run(index begin, index end) noexcept {
    context& c = this->contexts_[0];
    for (index row = begin; row < end; row += c.g.rows) {
      c.g = group_at(this->job_.prediction, row, end);
      c.counts = this->set_scales(c);
      if (c.counts) {
        if constexpr (keeps_weights)
          this->exponentials_ =
              static_cast<A*>(block_.weights) + kept_weights(this->job_.prediction, row - block_.first);
        read_group<Step>(c, row + c.g.rows < end);
        if constexpr (Step == shard_step::gather)
          gather(c);
        else
          conclude<Step>(c);
      }
      if constexpr (Step == shard_step::finish) write(c);
    }
  }

 private:
  bool has_classes() const noexcept { return this->job_.columns > 0; }

  /// Returns number k of each row of the group, which has `per_row` of them.
  V take(context const& c, double const* numbers, int per_row, int k) const noexcept {
    typename V::lanes lanes;
    for (int lane = 0; lane < W; ++lane)
      lanes[lane] = static_cast<A>(numbers[(c.g.row - block_.first + (lane < c.g.rows ? lane : 0)) * per_row + k]);
    return packed(c.g.tall, lanes);
  }
  void put(context const& c, double* numbers, int per_row, int k, V x) const noexcept {
    typename V::lanes lanes;
    x.store(lanes);
    for (int lane = 0; lane < c.g.rows; ++lane)
      numbers[(c.g.row - block_.first + lane) * per_row + k] = static_cast<double>(lanes[lane]);
  }

  /// Returns x, or the lowest finite number if x is -inf, as in a shard whose classes are all masked, or NaN.
  static V finite_maximum(V x) noexcept {
    const V lowest(std::numeric_limits<A>::lowest());
    return select(lowest <= x, x, lowest);
  }

  /// Reads the logits and targets of a group. The maxima are those of the shard in the first step, then those of all.
  template <shard_step Step>
  void read_group(context& c, bool more) noexcept {
    constexpr bool first = Step == shard_step::gather;
    if (has_classes()) {
      c.z = read<A>(this->job_.prediction, c.g, c.logits, -std::numeric_limits<A>::infinity());
      c.next = next_row(this->job_.prediction, c.g, more);
    }
    if constexpr (!first)
      c.row_max = take(c, block_.maxima, numbers_of_row::maxima, 0);
    else if (has_classes())
      c.row_max = finite_maximum(this->largest_in_row(largest_of(c.z, this->extent_)));
    int k = 1;
    this->each(c, [&]<class T>(leaf_state<A, T>& s, auto& target, auto const& leaf, std::size_t place) {
      if (has_classes()) this->begin_leaf(c, s, target, leaf, place, more);
      row::each_statistic<T>([&](auto i) {
        using S = row::statistic<i(), T>;
        if constexpr (std::same_as<S, row::number>) s.known.s.sum[i()] = row_numbers<A>(leaf.term, c.g);
        if constexpr (!first) s.max[i()] = c.row_max;
        if constexpr (row::has_own_maximum<S>)
          s.max[i()] = first ? finite_maximum(s.max[i()]) : take(c, block_.maxima, numbers_of_row::maxima, k++);
        s.known.s.max[i()] = s.max[i()];
      });
    });
  }

  /// Stores the maxima of the shard and the sums relative to them. A shard without classes leaves both as they are.
  void gather(context& c) noexcept {
    if (!has_classes()) return;
    const auto sums = first_sweep(c.states, this->strips_of(c), c.row_max);
    put(c, block_.maxima, numbers_of_row::maxima, 0, c.row_max);
    put(c, block_.sums, numbers_of_row::sums, 0, this->collapse(sums.exponentials));
    int max = 1, sum = 1;
    this->each(c, [&](auto& s, auto&, auto const&, std::size_t) {
      s.end_first({}, this->collapse(sums.logits), [this](V x) { return this->collapse(x); });
      row::each_own_maximum(s.known.s, [&](V& x) { put(c, block_.maxima, numbers_of_row::maxima, max++, x); });
      row::each_sum_of_classes(s.known.s, [&](V& x) { put(c, block_.sums, numbers_of_row::sums, sum++, x); });
    });
  }

  static constexpr shard_step first_after_gather = numbers_of_row::later > 0   ? shard_step::later
                                                   : numbers_of_row::close > 0 ? shard_step::close
                                                                               : shard_step::finish;
  /// Makes the kept weights relative to the maximum of all classes.
  void rescale(context& c) noexcept {
    const V by = exp_of_nonpositive(take(c, block_.own, numbers_of_row::maxima, 0) - c.row_max);
    A* const weights = this->exponentials_;
    for (index i = 0; i < this->packs_ * W; i += W) (V::load(weights + i) * by).store(weights + i);
  }

  /// Takes what is known of all classes, up to the sums of this step or to the results of the terms.
  template <shard_step Step>
  void conclude(context& c) noexcept {
    const shared_strips<A> strips = this->strips_of(c);
    if constexpr (!keeps_weights) {
      if (has_classes()) static_cast<void>(first_sweep(c.states, strips, c.row_max));  // stores the weights
    } else if constexpr (Step == first_after_gather) {
      rescale(c);
    }
    const V total = take(c, block_.sums, numbers_of_row::sums, 0);
    const row::normaliser<V> base{c.row_max, total, log_of_normal(total), V(1) / total};
    int sum = 1, later = 0, close = 0;
    this->each(c, [&]<class T>(leaf_state<A, T>& s, auto&, auto const&, std::size_t) {
      row::each_sum_of_classes(s.known.s, [&](V& x) { x = take(c, block_.sums, numbers_of_row::sums, sum++); });
      s.known.base = base;
      begin_sweeps(s);
      if constexpr (row::later_size<T> > 0) {
        if constexpr (Step == shard_step::later) {
          for (int i = 0; i < row::later_size<T>; ++i) s.known.later[i] = V(0);
          if (has_classes()) later_sweep<powers>(s, strips);
        }
        for (int i = 0; i < row::later_size<T>; ++i, ++later)
          exchange<Step == shard_step::later>(c, block_.later, numbers_of_row::later, later, s.known.later[i]);
      }
      if constexpr (row::close_size<T> > 0 && Step != shard_step::later) {
        constexpr bool computes = Step == shard_step::close;
        for (int i = 0; computes && i < row::close_size<T>; ++i) s.known.close[i] = V(0);
        if constexpr (computes || row::replaced_weights<T> >= 0)
          if (const auto where = close_rows(s); has_classes() && any(where)) close_sweep<powers>(s, strips, where);
        for (int i = 0; i < row::close_size<T>; ++i, ++close)
          exchange<computes>(c, block_.close, numbers_of_row::close, close, s.known.close[i]);
      }
      if constexpr (Step == shard_step::finish) finish(s);
    });
  }
  template <bool Put>
  void exchange(context const& c, double* numbers, int per_row, int k, V& x) const noexcept {
    if constexpr (Put)
      put(c, numbers, per_row, k, collapse_of(x));
    else
      x = take(c, numbers, per_row, k);
  }
  V collapse_of(V x) const noexcept { return this->collapse(x); }

  // One function each for groups of every layout, so that ranks with other columns get the same bits.
  template <class S>
  [[gnu::noinline]] static void begin_sweeps(S& s) noexcept {
    s.known.start = row::start_of(s.term, s.known.s, s.known.base);
  }
  template <class S>
  [[gnu::noinline]] static auto close_rows(S const& s) noexcept {
    return row::is_close_of(s.term, s.known);
  }
  template <class S>
  [[gnu::noinline]] static void finish(S& s) noexcept {
    s.result = row::finish_of(s.term, s.known);
  }

  /// Writes the gradient, and stores the losses of the terms.
  void write(context& c) noexcept {
    auto const& gradient = this->job_.out.gradient;
    constexpr auto terms = static_cast<index>(sizeof...(Leaf));
    double* const losses = block_.losses + (c.g.row - block_.first) * terms;
    if (!c.counts) {
      std::fill_n(losses, c.g.rows * terms, 0.0);
      for (int lane = 0; gradient.data && lane < c.g.rows; ++lane)
        clear_row(gradient, c.g.row + lane, this->job_.columns);
      return;
    }
    if (gradient.data && has_classes()) this->write_gradient(c);
    this->each(c, [&](auto& s, auto&, auto const&, std::size_t k) {
      typename V::lanes loss;
      s.result.loss.store(loss);
      for (int lane = 0; lane < c.g.rows; ++lane) {
        const double factor = c.factors[k][lane];  // wide groups have one lane
        losses[lane * terms + static_cast<index>(k)] = factor == 0 ? 0 : factor * static_cast<double>(loss[lane]);
      }
    });
  }

  block_numbers block_;
};

}  // namespace hone::inline HONE_ABI::on_cpu

#include <hone/core/macros_pop.hpp>
