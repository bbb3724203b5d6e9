// SPDX-License-Identifier: MIT
/// Evaluates the rows of an objective on one thread: one group of rows at a time, from logits to gradient.
#pragma once

#include <hone/cpu/rows/gradient_sweep.hpp>
#include <hone/cpu/rows/row_facts.hpp>
#include <hone/cpu/rows/row_job.hpp>
#include <hone/cpu/rows/shared_weights.hpp>

#include <algorithm>

#include <hone/core/macros_push.hpp>

namespace hone::inline HONE_ABI::on_cpu {

/// Evaluates rows in groups. While the sums of one group are computed, those of the next are not known, and a processor
/// would wait for them: so the next group begins (its maxima) before the gradient of this one is written. Job is a
/// row_job, or has its members and other losses() (cpu/distributed/row_values.hpp).
template <class Job>
class row_worker;
template <template <class, class...> class Job, class View, class... Leaf>
class row_worker<Job<View, Leaf...>> {
 protected:
  using job_type = Job<View, Leaf...>;
  using A = typename job_type::A;
  using V = pack<A>;
  static constexpr int W = V::size;
  static constexpr std::size_t count = sizeof...(Leaf);
  template <class L>
  using term_of = typename L::term_type;
  static constexpr bool powers = any_tempered<term_of<Leaf>...>;
  using indices = std::index_sequence_for<Leaf...>;

  using states_type = detail::list<leaf_state<A, term_of<Leaf>>...>;
  using targets_type = detail::list<
      std::conditional_t<has_full_target<term_of<Leaf>>, full_target<A, target_of_term<term_of<Leaf>>>, no_target>...>;

  /// A group of rows, from its logits to its gradient.
  struct context {
    group g{};
    bool counts = false;  // for any term
    group_numbers<A> z{};
    next_row next{};
    V row_max = V(0);
    A* logits;
    A* teachers[count];
    states_type states;
    targets_type targets;
    double factors[count][std::size_t(W)] = {};  // factor · row weight, 0 if ignored
  };

 public:
  static std::size_t bytes(View v, index columns) {
    const std::size_t strip = arena::room_for<A>(static_cast<std::size_t>(packs_of<A>(is_tall(v), columns) * W));
    const auto of_leaf = [&]<class L>(L const*) {
      using T = term_of<L>;
      const std::size_t n = strip * (std::size_t(weight_strips<T>) + (has_teacher_strip<T> ? 2 : 0));
      if constexpr (has_full_target<T>) return n + 2 * full_target<A, target_of_term<T>>::bytes(is_tall(v), columns);
      return n;
    };
    return 4 * strip + (of_leaf(static_cast<Leaf const*>(nullptr)) + ... + 0);
  }

  row_worker(job_type const& job, std::byte* memory) : row_worker(job, arena(memory)) {}

  /// Writes the outputs of rows [begin, end) and returns Σ scale · factor · weight · loss.
  HONE_FLATTEN double run(index begin, index end) noexcept {
    context *now = nullptr, *next = contexts_;
    for (index row = begin;;) {
      if (now && now->counts) sum_group(*now);
      if (row < end) {
        begin_group(*next, row, end);
        row += next->g.rows;
      } else {
        next = nullptr;
      }
      if (now) end_group(*now);
      if (!next) return losses_.total(job_.scales);
      now = next, next = now == contexts_ ? contexts_ + 1 : contexts_;
    }
  }

 protected:
  row_worker(job_type const& job, arena memory)
      : job_(job),
        tall_(is_tall(job.prediction)),
        packs_(packs_of<A>(tall_, job.columns)),
        extent_(tall_, job.columns),
        exponentials_(strip(memory)),
        gradient_(strip(memory)),
        losses_(job.losses()),
        contexts_{new_context(memory, indices()), new_context(memory, indices())} {
    for (context& c : contexts_) {
      arena shared = memory;  // both groups have the same strips of weights
      each(c, [&](auto& s, auto&, auto const& leaf, std::size_t k) {
        varies_[k] = leaf.weight_count > 0 || leaf.factor == 0 || skips_rows(leaf, job_.leaves);
        set_scale(c, s, k, [&](int) { return leaf.factor; });
        take_strips(c, s, shared);
      });
    }
  }

  template <std::size_t... I>
  context new_context(arena& memory, std::index_sequence<I...>) const noexcept {
    return {.logits = strip(memory),
            .teachers = {(has_teacher_strip<term_of<Leaf>> ? strip(memory) : nullptr)...},
            .states =
                states_type(leaf_state<A, term_of<Leaf>>{detail::at<I>(job_.leaves).term, source<term_of<Leaf>>()}...),
            .targets = targets_type{reader<term_of<Leaf>>(memory)...}};
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
  auto reader([[maybe_unused]] arena& memory) const noexcept {
    if constexpr (has_full_target<T>) {
      return full_target<A, target_of_term<T>>(tall_, job_.columns, memory);
    } else {
      return no_target();
    }
  }

  A* strip(arena& memory) const noexcept { return memory.template take<A>(static_cast<std::size_t>(packs_ * W)); }
  /// Assigns strips for the weights of a term, or the strips of an earlier term with an equal softmax.
  template <class T>
  void take_strips(context& c, leaf_state<A, T>& s, arena& memory) noexcept {
    const double temperature = row::temperature_of(s.term);
    s.rate = V(1 / temperature);
    row::each_statistic<T>([&](auto k) {
      using S = row::statistic<k(), T>;
      if constexpr (row::is_softmax<S> && !row::is_base<S>) {
        A* const own = strip(memory);
        A* const others = row::replaced_weights<T> == k() ? nullptr : same_weights<S>(c.states, s);
        s.weights[k()] = {others ? others : own, others != nullptr};
        if constexpr (is_tempered_logits<S>::value && row::replaced_weights<T> != k())
          if (const int power = squarings_to(temperature); !power_of_ && power >= 0)
            power_of_ = s.weights[k()].data, squarings_ = power;
      }
    });
  }

  template <class Body>
  void each(context& c, Body const& body) noexcept {
    [&]<std::size_t... I>(std::index_sequence<I...>) {
      (body(detail::at<I>(c.states), detail::at<I>(c.targets), detail::at<I>(job_.leaves), I), ...);
    }(indices());
  }

  shared_strips<A> strips_of(context const& c) const noexcept {
    return {c.z, exponentials_, power_of_, V(squarings_) > V(0), V(squarings_) > V(1), extent_, c.next, tall_};
  }
  /// Returns the sum or the maximum over the lanes if they are classes of one row; otherwise x.
  V collapse(V x) const noexcept { return tall_ ? x : V(sum(x)); }
  V largest_in_row(V x) const noexcept { return tall_ ? x : V(on_cpu::largest(x)); }

  /// Reads the group at `row`: its scales, targets and maxima.
  void begin_group(context& c, index row, index end) noexcept {
    c.g = group_at(job_.prediction, row, end);
    c.counts = set_scales(c);
    if (!c.counts) return;
    const bool more = row + c.g.rows < end;
    c.z = read<A>(job_.prediction, c.g, c.logits, -std::numeric_limits<A>::infinity());
    c.row_max = largest_in_row(largest_of(c.z, extent_));
    c.next = next_row(job_.prediction, c.g, more);
    each(c, [&](auto& s, auto& target, auto const& leaf, std::size_t k) { begin_leaf(c, s, target, leaf, k, more); });
  }

  /// Computes the statistics of the group and the results of the terms.
  void sum_group(context& c) noexcept {
    const shared_strips<A> strips = strips_of(c);
    const auto sums = first_sweep(c.states, strips, c.row_max);
    const V total = collapse(sums.exponentials);  // at least 1, or NaN
    const row::normaliser<V> base{c.row_max, total, log_of_normal(total), V(1) / total};
    if (job_.out.log_sum_exp || job_.out.predicted) write_row_facts(job_.out, c.g, c.z, extent_, base, c.factors);
    const auto over_lanes = [this](V x) { return collapse(x); };
    each(c, [&](auto& s, auto&, auto const&, std::size_t) {
      s.end_first(base, collapse(sums.logits), over_lanes);
      later_sweeps<powers>(s, strips, over_lanes);
      s.result = row::finish_of(s.term, s.known);
    });
  }

  /// Writes the outputs of the group and adds its losses.
  void end_group(context& c) noexcept {
    if (!c.counts) {
      for (index row = c.g.row; row < c.g.row + c.g.rows; ++row) write_row_of_nothing(job_.out, row, job_.columns);
      return;
    }
    if (job_.out.gradient.data) write_gradient(c);
    losses_.begin(c.g);
    each(c,
         [&](auto& s, auto&, auto const&, std::size_t k) { losses_.add(k, s.result.loss, c.factors[k], varies_[k]); });
    if (job_.out.unreduced) losses_.write(job_.out.unreduced);
  }

  /// Stores factor(lane), and its product with the reduction's factor as the scale of the term.
  template <class S, class Factor>
  void set_scale(context& c, S& s, std::size_t k, Factor const& factor) noexcept {
    typename V::lanes scale;
    for (int lane = 0; lane < (tall_ ? W : 1); ++lane) {
      c.factors[k][lane] = factor(lane);
      scale[lane] = static_cast<A>(c.factors[k][lane] * job_.scales[k]);
    }
    s.scale = packed(tall_, scale);
    s.counts = (s.scale < V(0)) | (s.scale > V(0));
  }

  /// Sets factor · row weight / divisor for every leaf and lane. Returns false if no row counts for any leaf.
  bool set_scales(context& c) noexcept {
    bool alive = false;
    each(c, [&](auto& s, auto&, auto const& leaf, std::size_t k) {
      if (varies_[k])
        set_scale(c, s, k, [&](int lane) {
          const index row = c.g.row + lane;
          return lane >= c.g.rows || skips(leaf, job_.leaves, row) ? 0 : leaf.factor_of_row(row);
        });
      for (int lane = 0; lane < (varies_[k] ? c.g.rows : 1); ++lane) alive |= c.factors[k][lane] != 0;
    });
    return alive;
  }

  template <class T, class Target, class L>
  void begin_leaf(context& c, leaf_state<A, T>& s, Target& target, L const& leaf, std::size_t k, bool more) noexcept {
    const group g = c.g;
    if constexpr (has_full_target<T>) {
      s.q.numbers = target.begin(leaf.term.target, job_.class_weights[k], g, c.z);
      if constexpr (requires { leaf.term.target.view; }) s.q.next = next_row(leaf.term.target.view, g, more);
    }
    if constexpr (has_sparse_target<T>) {
      V mass, dot;
      s.q.begin(leaf.term.target, g, c.z, c.row_max, mass, dot);
      if constexpr (row::sums_target<T>) s.mass() = mass, s.known.s.dot = dot;
    }
    if constexpr (row::has_teacher<T>) {
      s.t = read<A>(leaf.term.teacher, g, c.teachers[k], -std::numeric_limits<A>::infinity());
      s.t_next = next_row(leaf.term.teacher, g, more);
    }
    if constexpr (T::class_numbers > 0) s.class_source::enter(leaf.term.table, g.row);
    if constexpr (row::has_list<T>) s.t = list_numbers(leaf.term, g, c.teachers[k], packs_ * W);
    row::each_statistic<T>([&](auto i) {
      using S = row::statistic<i(), T>;
      V& maximum = s.max[i()] = row::is_softmax_of<S, row::listed_numbers> ? V(0) : c.row_max;
      if constexpr (row::has_own_maximum<S>) {
        if constexpr (S::subset::own_maximum) {
          maximum = largest_in_row(s.template largest_in_subset<S>(c.z, extent_));
        } else {
          maximum = largest_in_row(largest_of(s.t, extent_));
        }
      }
      s.known.s.max[i()] = maximum;
      if constexpr (std::same_as<S, row::number>) s.known.s.sum[i()] = row_numbers<A>(leaf.term, g);
    });
  }

  void write_gradient(context& c) noexcept {
    if constexpr (std::same_as<detail::number_of<View>, A>)
      if constexpr (requires { job_.out.gradient.row(c.g.row); })
        if (job_.streaming && !tall_)
          return gradient_sweep(c.states, strips_of(c)).stream(job_.out.gradient.row(c.g.row), gradient_);
    const group_output<A> out = output_of<A>(job_.out.gradient, c.g, gradient_);
    gradient_sweep(c.states, strips_of(c)).write(out);
    store(job_.out.gradient, c.g, out);
    if (std::any_of(varies_, varies_ + count, [](bool v) { return v; }))
      for (int lane = 0; lane < c.g.rows; ++lane)
        if (std::all_of(c.factors, c.factors + count, [lane](auto const& factor) { return factor[lane] == 0; }))
          clear_row(job_.out.gradient, c.g.row + lane, job_.columns);
  }

  job_type const& job_;
  bool tall_;
  index packs_;
  group_extent<A> extent_;
  A *exponentials_, *gradient_;
  A const* power_of_ = nullptr;  // see shared_strips
  int squarings_ = 0;
  bool varies_[count] = {};  // true if factors differ from row to row, or are 0
  typename job_type::losses_type losses_;
  context contexts_[2];  // the group that is evaluated, and the next one
};

}  // namespace hone::inline HONE_ABI::on_cpu

#include <hone/core/macros_pop.hpp>
