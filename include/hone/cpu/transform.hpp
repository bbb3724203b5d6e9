// SPDX-License-Identifier: MIT
/// Gradients on the CPU: norms of all units in one sweep, factors from them, and another sweep where numbers change.
#pragma once

#include <hone/cpu/norms.hpp>
#include <hone/cpu/tensors.hpp>
#include <hone/gradient/adaptive_clip.hpp>
#include <hone/gradient/chain.hpp>
#include <hone/gradient/report.hpp>

#include <cmath>

namespace hone {
namespace on_cpu {

/// The norms of a list's units, and their factors so far.
class unit_norms {
 public:
  explicit unit_norms(unit_cuts const& cut) : cut_(cut) {
    using room = carver;
    const auto slots = static_cast<std::size_t>(cut.slots()), units = static_cast<std::size_t>(cut.units());
    carver memory(scratch<scratch_for::norms>(room::room_for<power_sums>(slots) + room::room_for<double>(slots) +
                                              room::room_for<double>(units)));
    sums = memory.take<power_sums>(slots), weights = memory.take<double>(slots), factors = memory.take<double>(units);
    std::fill_n(sums, slots, power_sums{});
    std::fill_n(weights, slots, 0.0);
    std::fill_n(factors, units, 1.0);
  }

  power_sums* sums;  // of a slot
  double* weights;   // Σ w² of a slot
  double* factors;   // of a unit

  /// The p-norm of tensors [begin, end), each unit times its factor; y is `scale` times what was summed up.
  double norm(std::size_t begin, std::size_t end, double p, double scale, double limit) const {
    double total = 0;
    for (std::size_t i = begin; i < end; ++i)
      each_unit(i, [&](double& factor, power_sums const& s, double) {
        total = detail::combine_powers(total, s.power(p, factor * scale, limit), p);
      });
    return p == 2 ? std::sqrt(total) : total;
  }
  /// body(factor, sums, Σ w²) for each unit of a tensor.
  template <class Body>
  void each_unit(std::size_t i, Body const& body) const {
    const index parts = cut_[i].parts;
    for (index u = cut_[i].first_unit, slot = cut_[i].first_slot; u < cut_[i + 1].first_unit; ++u, slot += parts) {
      power_sums s = sums[slot];
      double w = weights[slot];
      for (index k = 1; k < parts; ++k) s.add(sums[slot + k]), w += weights[slot + k];
      body(factors[u], s, w);
    }
  }
  void multiply(std::size_t i, double by) const {
    std::for_each(factors + cut_[i].first_unit, factors + cut_[i + 1].first_unit, [&](double& f) { f *= by; });
  }

 private:
  unit_cuts const& cut_;
};

/// n numbers times `factor`, after clamping to ±before and before clamping to ±after.
template <class T>
void scale_numbers(T* g, index n, double scale, double before, double factor, double after) noexcept {
  using A = accumulator_t<T>;
  using V = pack<A>;
  const bool clamps = before < detail::infinity || after < detail::infinity;
  const V by(clamps ? scale : scale * factor), first(before), then(factor), last(after);
  A block[norm_block];
  for (index i = 0; i < n; i += norm_block) {
    const index m = std::min(norm_block, n - i), whole = m / V::size * V::size;
    A* at = block;
    if constexpr (std::is_same_v<A, T>) {
      at = g + i;
    } else {
      convert(g + i, block, m);
    }
    const auto next = [&](V x) {
      x = x * by;
      return clamps ? max(min(max(min(x, first), -first) * then, last), -last) : x;
    };
    for (index j = 0; j < whole; j += V::size) next(V::load(at + j)).store(at + j);
    if (whole < m) {
      A rest[V::size] = {};
      std::copy(at + whole, at + m, rest);
      next(V::load(rest)).store(rest);
      std::copy(rest, rest + (m - whole), at + whole);
    }
    if constexpr (!std::is_same_v<A, T>) convert(at, g + i, m);
  }
}

/// The same of the first n columns of a matrix, each with a factor of its own.
template <class T>
void scale_columns(T* g, detail::tensor_units of, index n, double scale, double before, double const* factors,
                   double after) noexcept {
  using A = accumulator_t<T>;
  const auto by = static_cast<A>(scale), first = static_cast<A>(before), last = static_cast<A>(after);
  const bool clamps = before < detail::infinity || after < detail::infinity;
  A then[detail::columns_per_piece];
  for (index c = 0; c < n; ++c) then[c] = static_cast<A>(clamps ? factors[c] : scale * factors[c]);
  for (index r = 0; r < of.rows; ++r, g += of.columns)
    for (index c = 0; c < n; ++c) {
      const A x = static_cast<A>(g[c]);
      g[c] =
          static_cast<T>(clamps ? std::clamp(std::clamp(x * by, -first, first) * then[c], -last, last) : x * then[c]);
    }
}

/// What a chain makes of a list of gradients.
template <class T, class Chain>
class gradient_job;
template <class T, class... Step>
class gradient_job<T, gradient_chain<Step...>> {
 public:
  gradient_job(cpu const& backend, gradient_chain<Step...> const& chain, tensor_list<T> const& gradients)
      : backend_(backend),
        chain_(chain),
        gradients_(gradients),
        scale_(chain.unscaling()),
        before_(chain.limit(false)),
        after_(chain.limit(true)),
        cut_(gradients.size(), [&](std::size_t i) { return units_of(i); }),
        norms_(cut_) {}

  gradient_report measure() {
    const bool squares_only = chain_.takes_squares_only();
    const y_of_g how{squares_only, squares_only ? 1 : scale_, before_};
    for_chunks(backend_, cut_.pieces(), 0, [&](index piece, std::byte*) { measure(piece, how); });
    power_sums all;
    for (index slot = 0; slot < cut_.slots(); ++slot) all.add(norms_.sums[slot]);
    gradient_report report;
    report.norm = scale_ * std::sqrt(all.g_squares);
    report.finite = detail::finite(report.norm);
    report.factor = scale_;
    if (!report.finite) return report;
    y_scale_ = squares_only ? scale_ : 1;
    if (const double p = chain_.reported_p(); p != 2) report.norm = p == 1 ? scale_ * all.g_absolute : all.largest;
    chain_.each([&](auto const& step) { settle(step, report); });
    report.factor *= report.coefficient;
    return report;
  }

  void apply() {
    for_chunks(backend_, cut_.pieces(), 0, [&](index piece, std::byte*) {
      const std::size_t i = cut_.tensor_of(piece);
      T* const g = gradients_[i].data;
      cut_[i].visit(
          piece,
          [&](index slot, index unit, index first, index n) {
            if (changes(norms_.factors[unit], norms_.sums[slot]))
              scale_numbers(g + first, n, scale_, before_, norms_.factors[unit], after_);
          },
          [&](index slot, index unit, index first, index n) {
            bool any = false;
            for (index c = 0; c < n; ++c) any = any || changes(norms_.factors[unit + c], norms_.sums[slot + c]);
            if (any) scale_columns(g + first, units_of(i), n, scale_, before_, norms_.factors + unit, after_);
          });
    });
  }

 private:
  /// Whether clipping or unscaling changes the numbers of a slot.
  bool changes(double factor, power_sums const& s) const noexcept {
    return scale_ * factor != 1 || s.largest > before_ || s.largest * factor > after_;
  }

  detail::tensor_units units_of(std::size_t i) const {
    detail::tensor_units units{1, gradients_[i].size, false};
    chain_.each([&]<class S>(S const& step) {
      if constexpr (S::kind == step_kind::unit_norm)
        units = {step.parameters[i].rows, step.parameters[i].columns,
                 step.units == agc_units::columns && step.parameters[i].rows > 1};
    });
    return units;
  }

  void measure(index piece, y_of_g how) {
    const std::size_t i = cut_.tensor_of(piece);
    T const* const g = gradients_[i].data;
    cut_[i].visit(
        piece,
        [&](index slot, index, index first, index n) {
          norms_.sums[slot] = sums_of(g + first, n, how);
          each_parameter(i, [&](auto const* w) { norms_.weights[slot] = sums_of(w + first, n, weights_).squares; });
        },
        [&](index slot, index, index first, index n) {
          const detail::tensor_units u = units_of(i);
          column_sums(g + first, u.rows, u.columns, n, how, norms_.sums + slot);
          each_parameter(i, [&](auto const* w) {
            power_sums s[detail::columns_per_piece];
            column_sums(w + first, u.rows, u.columns, n, weights_, s);
            for (index c = 0; c < n; ++c) norms_.weights[slot + c] = s[c].squares;
          });
        });
  }
  template <class Body>
  void each_parameter(std::size_t i, Body const& body) const {
    chain_.each([&]<class S>(S const& step) {
      if constexpr (S::kind == step_kind::unit_norm) body(step.parameters[i].data);
    });
  }

  /// The factors of the units after a step.
  template <class S>
  void settle(S const& step, gradient_report& report) {
    const std::size_t tensors = gradients_.size();
    if constexpr (S::kind == step_kind::global_norm) {
      const double by = detail::clip_factor(norms_.norm(0, tensors, step.p, y_scale_, before_), step.max);
      report.coefficient *= by;
      for (std::size_t i = 0; i < tensors; ++i) norms_.multiply(i, by);
    } else if constexpr (S::kind == step_kind::tensor_norm) {
      for (std::size_t i = 0; i < tensors; ++i)
        norms_.multiply(i, detail::clip_factor(norms_.norm(i, i + 1, step.p, y_scale_, before_), step.max));
    } else if constexpr (S::kind == step_kind::unit_norm) {
      for (std::size_t i = 0; i < tensors; ++i) {
        if (std::find(step.excluded.begin(), step.excluded.end(), i) != step.excluded.end()) continue;
        norms_.each_unit(i, [&](double& factor, power_sums const& s, double w) {
          factor *= S::factor(factor * y_scale_ * std::sqrt(s.squares), std::sqrt(w), step.clipping, step.epsilon);
        });
      }
    }
  }

  static constexpr y_of_g weights_{true, 1, 0};

  cpu const& backend_;
  gradient_chain<Step...> const& chain_;
  tensor_list<T> const& gradients_;
  double scale_, before_, after_, y_scale_ = 1;
  unit_cuts cut_;
  unit_norms norms_;
};

template <class T, class... Step>
void check_gradients(const char* function, gradient_chain<Step...> const& chain, tensor_list<T> const& gradients) {
  detail::require_tensors(function, "gradients", gradients);
  chain.each([&]<class S>(S const& step) {
    if constexpr (S::kind == step_kind::unit_norm)
      detail::require_sizes_like(function, "gradients", gradients, "the list of adaptive_clip", step.parameters);
  });
}

}  // namespace on_cpu

/// Unscales and clips gradients in place: a step, or hone::chain of several. The numbers are float, double or a 16-bit
/// type; norms are added up in double, and a norm that is not finite leaves all gradients as they are.
/// Throws hone::invalid_argument where a tensor has no data or other sizes than the parameters of adaptive_clip.
template <class Step, class T>
gradient_report transform(cpu const& backend, Step const& step, tensor_list<T> const& gradients) {
  static_assert(!std::is_const_v<T>, "transform: the gradients must not be const, for they are changed in place");
  auto const& chain = detail::as_chain(step);
  on_cpu::check_gradients("transform", chain, gradients);
  on_cpu::gradient_job<T, std::remove_cvref_t<decltype(chain)>> job(backend, chain, gradients);
  const gradient_report report = job.measure();
  if (report.finite) job.apply();
  return report;
}

/// What transform would report, and no gradient is changed: report.factor is for whoever reads them next, say an
/// optimiser, to multiply them with. For chains of unscale and clip_by_global_norm, which are one factor for all.
template <class Step, class T>
gradient_report measure(cpu const& backend, Step const& step, tensor_list<T> const& gradients) {
  auto const& chain = detail::as_chain(step);
  detail::require_one_factor(chain);
  on_cpu::check_gradients("measure", chain, gradients);
  return on_cpu::gradient_job<T, std::remove_cvref_t<decltype(chain)>>(backend, chain, gradients).measure();
}

}  // namespace hone
