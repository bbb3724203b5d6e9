// SPDX-License-Identifier: MIT
/// Norms of single tensors over ranks, for clip_by_norm.
#pragma once

#include <hone/cpu/distributed/block_sums.hpp>
#include <hone/cpu/tensors/scale.hpp>
#include <hone/gradient/settle.hpp>

#include <cmath>
#include <new>
#include <span>

#include <hone/core/macros_push.hpp>

namespace hone::inline HONE_ABI::on_cpu {

/// Returns the p-norm over all ranks of the powers for which each(add) calls add. Powers are added exactly.
template <communicator C, class Each>
double norm_over(C const& ranks, double p, Each const& each) {
  if (p == detail::infinity) {
    double largest = 0;
    each([&](double x) { largest = x > largest ? x : largest; });
    ranks.max(std::span<double>(&largest, 1));
    return largest;
  }
  exact_sum sum;
  each([&](double x) { sum.add(x); });
  ranks.sum(std::span<std::int64_t>(sum.words()));
  const double total = sum.value();
  return p == 2 ? std::sqrt(total) : total;
}

/// Returns whether this rank holds the first number of a tensor, and counts it.
template <class T>
bool owns(tensor<T> const& t, detail::placement const& p, int rank) noexcept {
  return p.counted(rank) && (!p.cut() || (p.first == 0 && t.size > 0));
}

/// The power sums of every tensor of a list: exact over ranks for cut tensors, exact on this rank for others.
template <class T, class List, class Chain, communicator C>
class tensors_over_ranks {
 public:
  static void check(const char*, Chain const&, List const&) noexcept {}

  tensors_over_ranks(cpu const& backend, Chain const&, List const& list, C const& ranks,
                     detail::gradient_plan const& plan)
      : backend_(backend),
        list_(list),
        ranks_(ranks),
        plan_(plan),
        scale_rule_(plan.scale_rule(plan.scale)),
        parts_(plan.squares_only(plan.scale) ? 1 : 4),
        memory_(arena::room_for<shared_sums>(count()) + arena::room_for<power_sums>(count()) +
                arena::room_for<double>(count())) {
    arena memory(memory_.data());
    local_ = memory.take<shared_sums>(count()), totals_ = memory.take<power_sums>(count());
    factors_ = memory.take<double>(count());
    for (std::size_t i = 0; i < count(); ++i) {
      ::new (static_cast<void*>(local_ + i)) shared_sums();
      totals_[i] = {}, factors_[i] = 1;
    }
  }

  /// Sums this rank's numbers and adds them to the message.
  void sum(detail::step_message& message) {
    sum_blocks(
        backend_, list_, plan_.sums(plan_.scale), [&](std::size_t i) -> shared_sums& { return local_[i]; },
        [](std::size_t) { return true; });
    index units = 0;
    for (std::size_t i = 0; i < count(); ++i) {
      units += place(i).cut();
      for (int q = 0; q < parts_; ++q) local_[i].add_to(q, message.sum_words(q), place(i).counted(ranks_.rank()));
    }
    message.set_units(units);
  }
  /// Makes the sums of cut tensors those of all ranks.
  void share(detail::step_message const& message) {
    total_ = message.totals(parts_ == 1);
    const auto units = static_cast<std::size_t>(message.units()), words = static_cast<std::size_t>(exact_words::count);
    const std::size_t of_tensor = static_cast<std::size_t>(parts_) * words;
    const scratch<scratch_for::ranks> memory(arena::room_for<std::int64_t>((units + 1) * of_tensor) +
                                             arena::room_for<double>(units));
    arena room(memory.data());
    const std::span all(room.take<std::int64_t>((units + 1) * of_tensor), units * of_tensor);
    const std::span largest(room.take<double>(units), units);
    std::fill(all.begin(), all.end(), 0);
    std::fill(largest.begin(), largest.end(), 0.0);
    each_cut([&](std::size_t i, std::size_t unit) {
      if (place(i).replica != 0) return;
      for (int q = 0; q < parts_; ++q)
        local_[i].add_to(q, all.data() + unit * of_tensor + static_cast<std::size_t>(q) * words);
      largest[unit] = local_[i].largest();
    });
    if (units > 0) ranks_.sum(all);
    if (units > 0 && parts_ > 1) ranks_.max(largest);
    each_cut([&](std::size_t i, std::size_t unit) { set_totals(i, all.data() + unit * of_tensor, largest[unit]); });
    std::int64_t* const own = all.data() + units * of_tensor;
    for (std::size_t i = 0; i < count(); ++i)
      if (!place(i).cut()) {
        std::fill_n(own, of_tensor, 0);
        for (int q = 0; q < parts_; ++q) local_[i].add_to(q, own + static_cast<std::size_t>(q) * words);
        set_totals(i, own, local_[i].largest());
      }
  }

  // The functions that gradient/settle.hpp calls.

  double total(double p) const {
    if (p == 2) return total_.g_squares;
    return p == 1 ? total_.g_absolute : norm_over(ranks_, p, [&](auto const& add) {
      for (std::size_t i = 0; i < count(); ++i) add(totals_[i].largest);
    });
  }
  double norm(double p, double y_scale) const {
    return norm_over(ranks_, p, [&](auto const& add) {
      for (std::size_t i = 0; i < count(); ++i)
        if (owns(tensors()[i], place(i), ranks_.rank())) add(totals_[i].power(p, factors_[i] * y_scale, plan_.before));
    });
  }
  void multiply(double by) const {
    for (std::size_t i = 0; i < count(); ++i) factors_[i] *= by;
  }
  template <class F>
  void multiply_tensors(double p, double y_scale, F const& f) const {
    for (std::size_t i = 0; i < count(); ++i) {
      const double power = totals_[i].power(p, factors_[i] * y_scale, plan_.before);
      factors_[i] *= f(p == 2 ? std::sqrt(power) : power);
    }
  }
  template <class F>
  void multiply_units(double, F const&) const {}

  void apply() const {
    using A = accumulator_t<T>;
    for_tensors(backend_, tensors(), [&](std::size_t i, index begin, index end) {
      T* const g = tensors()[i].data + begin;
      const detail::scaling rule = scale_rule_.with(factors_[i]);
      if (!rule.changes(totals_[i].largest)) return;
      rule.template fits<A>(totals_[i].largest) ? scale_numbers(g, end - begin, rule)
                                                : scale_carefully(g, end - begin, rule);
    });
  }

 private:
  auto const& tensors() const noexcept { return detail::tensors_of(list_); }
  std::size_t count() const noexcept { return tensors().size(); }
  detail::placement place(std::size_t i) const noexcept { return detail::place_of(list_, i); }
  /// Calls body(tensor, number among cut tensors).
  template <class Body>
  void each_cut(Body const& body) const {
    for (std::size_t i = 0, unit = 0; i < count(); ++i)
      if (place(i).cut()) body(i, unit++);
  }
  void set_totals(std::size_t i, std::int64_t const* words, double largest) const {
    const auto value = [&](index q) { return exact_words::value(words + q * exact_words::count); };
    totals_[i] = parts_ == 1 ? power_sums{value(0), 0, value(0), 0, 0}
                             : power_sums{value(0), value(2), value(1), value(3), largest};
  }

  cpu const& backend_;
  List const& list_;
  C const& ranks_;
  detail::gradient_plan plan_;
  detail::scaling scale_rule_;
  int parts_;
  scratch<scratch_for::norms> memory_;
  shared_sums* local_;
  power_sums* totals_;
  double* factors_;
  power_sums total_;
};

}  // namespace hone::inline HONE_ABI::on_cpu

#include <hone/core/macros_pop.hpp>
