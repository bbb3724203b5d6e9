// SPDX-License-Identifier: MIT
/// Evaluates the rows of an objective on one thread: one group of rows at a time, from logits to gradient.
#pragma once

#include <hone/core/evaluation.hpp>
#include <hone/cpu/memory/streaming_store.hpp>
#include <hone/cpu/rows/shared_weights.hpp>
#include <hone/cpu/rows/sweeps.hpp>

#include <algorithm>
#include <array>

#include <hone/core/macros_push.hpp>

namespace hone::inline HONE_ABI::on_cpu {

/// The data that all threads of a call share.
template <class View, class... Leaf>
struct row_job : detail::evaluation<View, Leaf...> {
  std::array<double, sizeof...(Leaf)> scales;  // factor of the reduction, per leaf
  index columns;
  typename row_job::A const* class_weights[sizeof...(Leaf)] = {};  // of full targets, in the type of the arithmetic
  bool streaming = false;                                          // the gradient goes past the caches
};

template <class View, class... Leaf>
class row_worker {
  using job_type = row_job<View, Leaf...>;
  using A = typename job_type::A;
  using V = pack<A>;
  static constexpr int W = V::size;
  static constexpr std::size_t count = sizeof...(Leaf);
  template <class L>
  using term_of = typename L::term_type;
  using states = detail::list<leaf_state<A, term_of<Leaf>>...>;
  static constexpr bool powers = any_tempered<term_of<Leaf>...>;
  using indices = std::index_sequence_for<Leaf...>;

 public:
  static std::size_t bytes(View v, index columns) {
    const std::size_t strip = arena::room_for<A>(static_cast<std::size_t>(packs_of<A>(is_tall(v), columns) * W));
    const auto of_leaf = [&]<class L>(L const*) {
      using T = term_of<L>;
      const std::size_t n = strip * (std::size_t(weight_strips<T>) + (has_teacher_strip<T> ? 1 : 0));
      if constexpr (has_full_target<T>) return n + full_target<A, target_of_term<T>>::bytes(is_tall(v), columns);
      return n;
    };
    return 3 * strip + (of_leaf(static_cast<Leaf const*>(nullptr)) + ... + 0);
  }

  row_worker(job_type const& job, std::byte* memory) : row_worker(job, arena(memory), indices()) {}

  /// Writes the outputs of rows [begin, end) and returns Σ scale · factor · weight · loss.
  double run(index begin, index end) noexcept {
    double total = 0;
    for (index row = begin; row < end;) {
      const group g = group_at(job_.prediction, row, end);
      row += g.rows;
      total += evaluate(g, row < end);
    }
    return total;
  }

 private:
  template <std::size_t... I>
  row_worker(job_type const& job, arena memory, std::index_sequence<I...>)
      : job_(job),
        tall_(is_tall(job.prediction)),
        packs_(packs_of<A>(tall_, job.columns)),
        logits_(strip(memory)),
        exponentials_(strip(memory)),
        gradient_(strip(memory)),
        teachers_{(has_teacher_strip<term_of<Leaf>> ? strip(memory) : nullptr)...},
        states_{leaf_state<A, term_of<Leaf>>{{detail::at<I>(job.leaves).term, source<term_of<Leaf>>()}}...},
        targets_{reader<term_of<Leaf>>(memory)...} {
    each([&](auto& s, auto&, auto const& leaf, std::size_t k) {
      varies_[k] = leaf.weight_count > 0 || skips_rows(leaf, job_.leaves);
      set_scale(s, k, [&](int) { return leaf.factor; });
      take_strips(s, memory);
    });
  }

  template <class T>
  auto source() const noexcept {
    if constexpr (has_full_target<T>) {
      return target_numbers<A>{};
    } else {
      return target_source<A, T>(tall_, job_.columns);
    }
  }
  template <class T>
  auto reader(arena& memory) const noexcept {
    if constexpr (has_full_target<T>) {
      return full_target<A, target_of_term<T>>(tall_, job_.columns, memory);
    } else {
      static_cast<void>(memory);
      return no_target();
    }
  }

  A* strip(arena& memory) const noexcept { return memory.template take<A>(static_cast<std::size_t>(packs_ * W)); }
  /// Assigns strips for the weights of a term, or the strips of an earlier term with an equal softmax.
  template <class T>
  void take_strips(leaf_state<A, T>& s, arena& memory) noexcept {
    const double temperature = row::temperature_of(s.term);
    s.rate = V(1 / temperature);
    row::each_statistic<T>([&](auto k) {
      using S = row::statistic<k(), T>;
      if constexpr (row::is_softmax<S> && !row::is_base<S>) {
        A* const own = strip(memory);
        A* const others = row::replaced_weights<T> == k() ? nullptr : same_weights<S>(states_, s);
        s.weights[k()] = {others ? others : own, others != nullptr};
        if constexpr (is_tempered_logits<S>::value && row::replaced_weights<T> != k())
          if (const int power = squarings_to(temperature); !power_of_ && power >= 0)
            power_of_ = s.weights[k()].data, squarings_ = power;
      }
    });
  }

  template <class Body>
  void each(Body const& body) noexcept {
    [&]<std::size_t... I>(std::index_sequence<I...>) {
      (body(detail::at<I>(states_), detail::at<I>(targets_), detail::at<I>(job_.leaves), I), ...);
    }(indices());
  }

  /// Returns the sum over the lanes if they are classes of one row; otherwise x.
  V collapse(V x) const noexcept { return tall_ ? x : V(sum(x)); }

  double evaluate(group g, bool more) noexcept {
    if (!set_scales(g)) {
      for (int lane = 0; lane < g.rows; ++lane) skip_row(g.row + lane);
      return 0;
    }
    A const* z = load<A>(job_.prediction, g, logits_, -std::numeric_limits<A>::infinity());
    const V row_max = largest(z);
    const shared_strips<A> strips{z,
                                  exponentials_,
                                  power_of_,
                                  squarings_,
                                  packs_,
                                  tall_ ? 0 : int(job_.columns % W),
                                  next_row(job_.prediction, g, more),
                                  tall_};
    each([&](auto& s, auto& target, auto const& leaf, std::size_t k) {
      begin_leaf(s, target, leaf, g, z, row_max, k, more);
    });

    const auto sums = first_sweep(states_, strips, row_max);
    const V total = collapse(sums.exponentials);
    const row::normaliser<V> base{row_max, total, log(total), V(1) / total};
    const auto over_lanes = [this](V x) { return collapse(x); };
    each([&](auto& s, auto&, auto const&, std::size_t) {
      s.end_first(base, collapse(sums.logits), over_lanes);
      later_sweeps<powers>(s, strips, over_lanes);
      s.result = row::finish_of(s.term, s.known);
    });
    if (job_.out.gradient.data) write_gradient(g, strips);
    return write_losses(g);
  }

  /// Stores factor(lane), and its product with the reduction's factor as the scale of the term.
  template <class S, class Factor>
  void set_scale(S& s, std::size_t k, Factor const& factor) noexcept {
    typename V::lanes scale;
    for (int lane = 0; lane < W; ++lane) {
      factors_[k][lane] = factor(lane);
      scale[lane] = static_cast<A>(factors_[k][lane] * job_.scales[k]);
    }
    s.scale = packed(tall_, scale);
    s.counts = (s.scale < V(0)) | (s.scale > V(0));
  }

  /// Sets factor · row weight / divisor for every leaf and lane. Returns false if no row counts for any leaf.
  bool set_scales(group g) noexcept {
    bool alive = false;
    each([&](auto& s, auto&, auto const& leaf, std::size_t k) {
      if (varies_[k])
        set_scale(s, k, [&](int lane) {
          const index row = g.row + lane;
          return lane >= g.rows || skips(leaf, job_.leaves, row) ? 0 : leaf.factor_of_row(row);
        });
      for (int lane = 0; lane < g.rows; ++lane) alive |= factors_[k][lane] != 0;
    });
    return alive;
  }

  V largest(A const* z) const noexcept {
    if (!tall_) return largest_in_row(largest_of(z, packs_));
    V most = V::load(z);
    for (index c = 1; c < job_.columns; ++c) most = max(most, V::load(z + c * W));
    return most;
  }

  /// Returns the maximum over the lanes if they are classes of one row; otherwise x.
  V largest_in_row(V x) const noexcept { return tall_ ? x : V(on_cpu::largest(x)); }

  template <class T, class Target, class L>
  void begin_leaf(leaf_state<A, T>& s, Target& target, L const& leaf, group g, A const* z, V row_max, std::size_t k,
                  bool more) noexcept {
    if constexpr (has_full_target<T>) {
      s.q.data = target.begin(leaf.term.target, job_.class_weights[k], g, z);
      if constexpr (requires { leaf.term.target.view; }) s.q.next = next_row(leaf.term.target.view, g, more);
    }
    if constexpr (has_sparse_target<T>) {
      V mass, dot;
      s.q.begin(leaf.term.target, g, z, row_max, mass, dot);
      if constexpr (row::sums_target<T>) s.mass() = mass, s.known.s.dot = dot;
    }
    if constexpr (row::has_teacher<T>) {
      s.t = load<A>(leaf.term.teacher, g, teachers_[k], -std::numeric_limits<A>::infinity());
      s.t_next = next_row(leaf.term.teacher, g, more);
    }
    if constexpr (row::has_list<T>) s.t = list_numbers(leaf.term, g, teachers_[k], packs_ * W);
    row::each_statistic<T>([&](auto i) {
      using S = row::statistic<i(), T>;
      V& most = s.max[i()] = row::is_softmax_of<S, row::listed_numbers> ? V(0) : row_max;
      if constexpr (row::has_own_maximum<S>) {
        if constexpr (S::subset::own_maximum) {
          most = largest_in_row(s.template largest_in_subset<S>(z, packs_));
        } else {
          most = largest(s.t);
        }
      }
      s.known.s.max[i()] = most;
      if constexpr (std::same_as<S, row::number>) s.known.s.sum[i()] = row_numbers<A>(leaf.term, g);
    });
  }

  void write_gradient(group g, shared_strips<A> const& strips) noexcept {
    A* direct = job_.streaming ? nullptr : target_of<A>(job_.out.gradient, g);
    A* to = direct ? direct : gradient_;
    write_sweep(states_, strips, to);
    if (job_.streaming && stream(job_.out.gradient, g, gradient_)) return;
    store(job_.out.gradient, g, static_cast<A const*>(to));
    if (std::any_of(varies_, varies_ + count, [](bool v) { return v; }))
      for (int lane = 0; lane < g.rows; ++lane)
        if (!counts(lane)) clear_row(job_.out.gradient, g.row + lane, job_.columns);
  }

  bool counts(int lane) const noexcept {
    for (std::size_t k = 0; k < count; ++k)
      if (factors_[k][lane] != 0) return true;
    return false;
  }

  double write_losses(group g) noexcept {
    double total = 0;
    double unreduced[std::size_t(W)] = {};
    each([&](auto& s, auto&, auto const&, std::size_t k) {
      typename V::lanes loss;
      s.result.loss.store(loss);
      double weighed[std::size_t(W)] = {};
      for (int lane = 0; lane < g.rows; ++lane)
        if (factors_[k][lane] != 0) weighed[lane] = factors_[k][lane] * static_cast<double>(loss[lane]);
      for (int lane = 0; lane < W; ++lane) unreduced[lane] += weighed[lane];
      for (int step = W / 2; step > 0; step /= 2)  // in pairs: the additions of a chain wait for each other
        for (int lane = 0; lane < step; ++lane) weighed[lane] += weighed[lane + step];
      if (job_.scales[k] != 0) total += job_.scales[k] * weighed[0];
    });
    if (job_.out.unreduced)
      for (int lane = 0; lane < g.rows; ++lane) job_.out.unreduced[g.row + lane] = detail::narrowed<A>(unreduced[lane]);
    return total;
  }

  /// Writes the outputs of a row that does not count: its loss and its gradient are 0.
  void skip_row(index row) noexcept {
    if (job_.out.unreduced) job_.out.unreduced[row] = 0;
    if (job_.out.gradient.data) clear_row(job_.out.gradient, row, job_.columns);
  }

  job_type const& job_;
  bool tall_;
  index packs_;
  A *logits_, *exponentials_, *gradient_;
  A* teachers_[count];
  A const* power_of_ = nullptr;  // see shared_strips
  int squarings_ = 0;
  states states_;
  detail::list<
      std::conditional_t<has_full_target<term_of<Leaf>>, full_target<A, target_of_term<term_of<Leaf>>>, no_target>...>
      targets_;
  double factors_[count][std::size_t(W)] = {};  // factor · row weight, 0 if ignored
  bool varies_[count] = {};                     // true if factors_ differ from row to row
};

}  // namespace hone::inline HONE_ABI::on_cpu

#include <hone/core/macros_pop.hpp>
