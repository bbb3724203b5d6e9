// SPDX-License-Identifier: MIT
/// Gradients on the CPU: norms of all units in one sweep, factors from them, and another sweep where numbers change.
#pragma once

#include <hone/core/tensor_overlap.hpp>
#include <hone/cpu/tensors/norms.hpp>
#include <hone/cpu/tensors/scale.hpp>
#include <hone/cpu/tensors/tensors.hpp>
#include <hone/gradient/adaptive_clip.hpp>
#include <hone/gradient/chain.hpp>
#include <hone/gradient/report.hpp>

#include <cmath>

#include <hone/core/macros_push.hpp>

namespace hone::inline HONE_ABI {
namespace on_cpu {

/// The norms of a list's units, and their factors so far.
class unit_norms {
 public:
  explicit unit_norms(unit_cuts const& cut) : memory_(bytes(cut)), cut_(cut) {
    const auto slots = static_cast<std::size_t>(cut.slots()), units = static_cast<std::size_t>(cut.units());
    carver memory(memory_.data());
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
  static std::size_t bytes(unit_cuts const& cut) noexcept {
    const auto slots = static_cast<std::size_t>(cut.slots()), units = static_cast<std::size_t>(cut.units());
    return carver::room_for<power_sums>(slots) + carver::room_for<double>(slots) + carver::room_for<double>(units);
  }

  scratch<scratch_for::norms> memory_;
  unit_cuts const& cut_;
};

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

  /// `most` is the largest number that can be written.
  gradient_report measure(double most) {
    const bool squares_only = chain_.takes_squares_only();
    const y_of_g how{squares_only, squares_only ? 1 : scale_, before_};
    for_chunks(backend_, cut_.pieces(), 0, [&](index piece, std::byte*) { measure(piece, how); });
    power_sums all;
    for (index slot = 0; slot < cut_.slots(); ++slot) all.add(norms_.sums[slot]);
    gradient_report report;
    report.norm = scale_ * std::sqrt(all.g_squares);
    report.finite = detail::finite(report.norm * report.norm);
    report.factor = scale_;
    if (!report.finite) return report;
    y_scale_ = squares_only ? scale_ : 1;
    if (const double p = chain_.reported_p(); p != 2) report.norm = p == 1 ? scale_ * all.g_absolute : all.largest;
    chain_.each([&](auto const& step) { settle(step, report); });
    report.factor *= report.coefficient;
    report.finite = squares_only || std::min(norm_of(0, gradients_.size(), detail::infinity), after_) <= most;
    return report;
  }

  void apply() {
    for_chunks(backend_, cut_.pieces(), 0, [&](index piece, std::byte*) {
      const std::size_t i = cut_.tensor_of(piece);
      T* const g = gradients_[i].data;
      cut_[i].visit(
          piece,
          [&](index slot, index unit, index first, index n) {
            const detail::scaling way{scale_, before_, norms_.factors[unit], after_};
            const double largest = norms_.sums[slot].largest;
            if (!way.changes(largest)) return;
            if (way.fits<accumulator_t<T>>(largest))
              scale_numbers(g + first, n, way);
            else
              scale_carefully(g + first, n, way);
          },
          [&](index slot, index unit, index first, index n) {
            const detail::scaling way{scale_, before_, 1, after_};
            double const* const factors = norms_.factors + unit;
            bool any = false, fit = true;
            for (index c = 0; c < n; ++c) {
              const double largest = norms_.sums[slot + c].largest;
              any = any || way.with(factors[c]).changes(largest);
              fit = fit && way.with(factors[c]).template fits<accumulator_t<T>>(largest);
            }
            if (any && fit) scale_columns<accumulator_t<T>>(g + first, units_of(i), n, way, factors);
            if (any && !fit) scale_columns<double>(g + first, units_of(i), n, way, factors);
          });
    });
  }

 private:
  double norm_of(std::size_t begin, std::size_t end, double p) const {
    return norms_.norm(begin, end, p, y_scale_, before_);
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
      const double by = detail::clip_factor(norm_of(0, tensors, step.p), step.max);
      report.coefficient *= by;
      for (std::size_t i = 0; i < tensors; ++i) norms_.multiply(i, by);
    } else if constexpr (S::kind == step_kind::tensor_norm) {
      for (std::size_t i = 0; i < tensors; ++i)
        norms_.multiply(i, detail::clip_factor(norm_of(i, i + 1, step.p), step.max));
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
  const detail::tensor_places places(function, "gradients", gradients);
  chain.each([&]<class S>(S const& step) {
    if constexpr (S::kind == step_kind::unit_norm) {
      detail::require_sizes_like(function, "gradients", gradients, "the list of adaptive_clip", step.parameters);
      places.require_apart("the list of adaptive_clip", step.parameters, true);
    }
  });
}

}  // namespace on_cpu

/// Unscales and clips gradients in place: a step, or hone::chain of several. The numbers are float, double or a 16-bit
/// type; norms are added up in double. A norm that is not finite, or a result that is not a number of the type, leaves
/// all gradients as they are.
/// Throws hone::invalid_argument where a tensor has no data or other sizes than the parameters of adaptive_clip, or two
/// tensors share memory.
template <class Step, class T>
gradient_report transform(cpu const& backend, Step const& step, tensor_list<T> const& gradients) {
  static_assert(!std::is_const_v<T>, "transform: the gradients must not be const, for they are changed in place");
  auto const& chain = detail::as_chain(step);
  on_cpu::check_gradients("transform", chain, gradients);
  on_cpu::gradient_job<T, std::remove_cvref_t<decltype(chain)>> job(backend, chain, gradients);
  const gradient_report report = job.measure(detail::largest_number<T>());
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
  return on_cpu::gradient_job<T, std::remove_cvref_t<decltype(chain)>>(backend, chain, gradients)
      .measure(detail::infinity);
}

}  // namespace hone::inline HONE_ABI

#include <hone/core/macros_pop.hpp>
