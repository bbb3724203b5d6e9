// SPDX-License-Identifier: MIT
/// Norms of units over ranks, for adaptive_clip.
#pragma once

#include <hone/cpu/distributed/tensor_norms.hpp>
#include <hone/cpu/tensors/transform.hpp>

#include <algorithm>
#include <span>

#include <hone/core/macros_push.hpp>

namespace hone::inline HONE_ABI::on_cpu {

/// Units of cut tensors: a row of a row_shard lies on one rank, as does a column of a column_shard. Other units lie on
/// several: their sums are added over ranks, in double.
template <class T, class List, class Chain, communicator C>
class units_over_ranks : public gradient_job<T, Chain> {
  using base = gradient_job<T, Chain>;
  using base::cut_;
  using base::norms_;

 public:
  units_over_ranks(cpu const& backend, Chain const& chain, List const& list, C const& ranks,
                   detail::gradient_plan const& plan)
      : base(backend, chain, detail::tensors_of(list),
             [&](detail::tensor_units units, std::size_t i) {
               units.by_column = takes_columns(chain, units, detail::place_of(list, i));
               return units;
             }),
        list_(list),
        ranks_(ranks),
        plan_(plan) {}

  void sum(detail::step_message& message) {
    this->sum_units(plan_);
    piece_sums counted(squares_only()), others(squares_only());
    for (std::size_t i = 0; i < cut_.tensors(); ++i) {
      piece_sums& to = place(i).counted(ranks_.rank()) ? counted : others;
      for (index slot = cut_[i].first_slot; slot < cut_[i + 1].first_slot; ++slot) to.add(norms_.sums[slot]);
    }
    adder to{message};
    counted.add_to(to, true), others.add_to(to, false);
    index units = 0;
    for (std::size_t i = 0; i < cut_.tensors(); ++i) units += summed_units(i);
    message.set_units(units);
  }
  /// Makes the sums of units that lie on several ranks those of all ranks.
  void share(detail::step_message const& message) {
    total_ = message.totals(squares_only());
    const auto units = static_cast<std::size_t>(message.units());
    if (units == 0) return;
    const scratch<scratch_for::ranks> memory(arena::room_for<double>(4 * units));
    const std::span all(arena(memory.data()).take<double>(4 * units), 4 * units);
    double *const squares = all.data(), *const absolute = squares + units, *const weights = absolute + units,
                  *const largest = weights + units;
    std::fill(all.begin(), all.end(), 0.0);
    std::size_t first = 0;
    for (std::size_t i = 0; i < cut_.tensors(); first += static_cast<std::size_t>(summed_units(i)), ++i) {
      if (summed_units(i) == 0 || place(i).replica != 0) continue;
      std::size_t u = first;
      norms_.each_unit(i, [&](double&, power_sums const& s, double w) {
        squares[u] = s.squares, absolute[u] = s.absolute, weights[u] = w < 0 ? 0 : w, largest[u] = s.largest, ++u;
      });
    }
    ranks_.sum(all.first(3 * units));
    if (!squares_only()) ranks_.max(all.last(units));
    first = 0;
    for (std::size_t i = 0; i < cut_.tensors(); first += static_cast<std::size_t>(summed_units(i)), ++i) {
      if (summed_units(i) == 0) continue;
      std::size_t u = first;
      const index parts = cut_[i].parts;
      for (index slot = cut_[i].first_slot; slot < cut_[i + 1].first_slot; slot += parts, ++u) {
        const bool excluded = norms_.weights[slot] < 0;
        std::fill_n(norms_.sums + slot, parts, power_sums{0, 0, 0, 0, largest[u]});
        std::fill_n(norms_.weights + slot, parts, 0.0);
        norms_.sums[slot].squares = squares[u], norms_.sums[slot].absolute = absolute[u];
        norms_.weights[slot] = excluded ? detail::excluded_unit : weights[u];
      }
    }
  }

  // The functions that gradient/settle.hpp calls.

  double total(double p) const {
    if (p == 2) return total_.g_squares;
    return p == 1 ? total_.g_absolute : norm_over(ranks_, p, [&](auto const& add) {
      for (index slot = 0; slot < cut_.slots(); ++slot) add(norms_.sums[slot].largest);
    });
  }
  double norm(double p, double y_scale) const {
    return norm_over(ranks_, p, [&](auto const& add) {
      for (std::size_t i = 0; i < cut_.tensors(); ++i) {
        const int rank = ranks_.rank();
        const bool mine =
            summed_units(i) > 0 ? owns(detail::tensors_of(list_)[i], place(i), rank) : place(i).counted(rank);
        if (mine)
          norms_.each_unit(
              i, [&](double& factor, power_sums const& s, double) { add(s.power(p, factor * y_scale, plan_.before)); });
      }
    });
  }
  void multiply(double by) const { norms_.multiply(by); }
  template <class F>
  void multiply_tensors(double, double, F const&) const {}
  template <class F>
  void multiply_units(double y_scale, F const& f) const {
    norms_.multiply_units(y_scale, f);
  }

  /// Fails if a cut tensor has no units: a flat shard of a matrix, or a shape that is not that of its parameters.
  static void check(const char* function, Chain const& chain, List const& list) {
    chain.each([&]<class S>(S const& step) {
      if constexpr (S::kind == step_kind::unit_norm)
        for (std::size_t i = 0; i < detail::tensors_of(list).size(); ++i) {
          auto const& g = detail::tensors_of(list)[i];
          auto const& w = step.parameters[i];
          const detail::placed kind = detail::place_of(list, i).kind;
          if (kind == detail::placed::shard && w.rows > 1)
            detail::fail(
                "%s: tensor %zu of gradients is a flat shard of a matrix, whose units adaptive_clip cannot "
                "know: use hone::row_shard or hone::column_shard",
                function, i);
          if ((kind == detail::placed::row_shard || kind == detail::placed::column_shard) &&
              (g.rows != w.rows || g.columns != w.columns))
            detail::fail("%s: tensor %zu of gradients is %jd x %jd, its parameters are %jd x %jd", function, i,
                         std::intmax_t(g.rows), std::intmax_t(g.columns), std::intmax_t(w.rows),
                         std::intmax_t(w.columns));
        }
    });
  }

 private:
  struct adder {
    detail::step_message& message;

    void add(int q, int word, std::int64_t amount) const { message.sum_words(q)[word] += amount; }
    void raise(double) const noexcept {}
  };

  static bool takes_columns(Chain const& chain, detail::tensor_units units, detail::placement const& p) {
    bool columns = false;
    chain.each([&]<class S>(S const& step) {
      if constexpr (S::kind == step_kind::unit_norm) columns = step.units == agc_units::columns;
    });
    return columns && (p.kind == detail::placed::row_shard ? p.whole : units.rows) > 1;
  }
  /// Returns how many units of tensor i lie on several ranks. The same on every rank, also where its part is empty.
  index summed_units(std::size_t i) const {
    const detail::placement p = place(i);
    if (!p.cut()) return 0;
    if (p.kind == detail::placed::shard) return p.whole > 0;
    const detail::tensor_units units = this->units_of(i);
    const bool columns = takes_columns(this->chain_, units, p);
    if (p.kind == detail::placed::row_shard) return columns ? units.columns : 0;
    return columns ? 0 : units.rows;
  }
  detail::placement place(std::size_t i) const noexcept { return detail::place_of(list_, i); }
  bool squares_only() const noexcept { return plan_.squares_only(plan_.scale); }

  List const& list_;
  C const& ranks_;
  detail::gradient_plan plan_;
  power_sums total_;
};

}  // namespace hone::inline HONE_ABI::on_cpu

#include <hone/core/macros_pop.hpp>
