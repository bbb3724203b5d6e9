// SPDX-License-Identifier: MIT
/// Transforms gradients on the CPU: one sweep for the norms of all units, then their factors, then a sweep that writes.
#pragma once

#include <hone/core/tensor_overlap.hpp>
#include <hone/cpu/tensors/norms.hpp>
#include <hone/cpu/tensors/scale.hpp>
#include <hone/cpu/tensors/tensors.hpp>
#include <hone/gradient/settle.hpp>

#include <algorithm>
#include <cmath>

#include <hone/core/macros_push.hpp>

namespace hone::inline HONE_ABI {
namespace on_cpu {

/// The sums of a list's units, and their factors so far.
class unit_norms {
 public:
  explicit unit_norms(unit_cuts const& cut) : memory_(bytes(cut)), cut_(cut) {
    const auto slots = static_cast<std::size_t>(cut.slots()), units = static_cast<std::size_t>(cut.units());
    arena memory(memory_.data());
    sums = memory.take<power_sums>(slots), weights = memory.take<double>(slots), factors = memory.take<double>(units);
    std::fill_n(sums, slots, power_sums{});
    std::fill_n(weights, slots, 0.0);
    std::fill_n(factors, units, 1.0);
  }

  power_sums* sums;  // per slot
  double* weights;   // per slot: Σ w², or excluded_unit
  double* factors;   // per unit
  double before = detail::infinity;

  // The functions that gradient/settle.hpp calls.

  double total(double p) {
    if (!all_known_)
      for (index slot = 0; slot < cut_.slots(); ++slot) all_.add(sums[slot]);
    all_known_ = true;
    return p == 2 ? all_.g_squares : p == 1 ? all_.g_absolute : all_.largest;
  }
  double norm(double p, double y_scale) const { return norm_of(0, cut_.tensors(), p, y_scale); }
  void multiply(double by) const {
    std::for_each(factors, factors + cut_.units(), [&](double& f) { f *= by; });
  }
  template <class F>
  void multiply_tensors(double p, double y_scale, F const& f) const {
    for (std::size_t i = 0; i < cut_.tensors(); ++i) {
      const double by = f(norm_of(i, i + 1, p, y_scale));
      std::for_each(factors + cut_[i].first_unit, factors + cut_[i + 1].first_unit, [&](double& g) { g *= by; });
    }
  }
  template <class F>
  void multiply_units(double y_scale, F const& f) const {
    for (std::size_t i = 0; i < cut_.tensors(); ++i)
      each_unit(i, [&](double& factor, power_sums const& s, double w) {
        factor *= f(factor * y_scale * std::sqrt(s.squares), w);
      });
  }

  /// Calls body(factor, sums, Σ w²) for each unit of a tensor.
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

 private:
  /// Returns the p-norm of tensors [begin, end).
  double norm_of(std::size_t begin, std::size_t end, double p, double y_scale) const {
    double total = 0;
    for (std::size_t i = begin; i < end; ++i)
      each_unit(i, [&](double& factor, power_sums const& s, double) {
        total = detail::combine_powers(total, s.power(p, factor * y_scale, before), p);
      });
    return p == 2 ? std::sqrt(total) : total;
  }
  static std::size_t bytes(unit_cuts const& cut) noexcept {
    const auto slots = static_cast<std::size_t>(cut.slots()), units = static_cast<std::size_t>(cut.units());
    return arena::room_for<power_sums>(slots) + arena::room_for<double>(slots) + arena::room_for<double>(units);
  }

  scratch<scratch_for::norms> memory_;
  unit_cuts const& cut_;
  power_sums all_;
  bool all_known_ = false;
};

/// Applies a chain to a list of gradients.
template <class T, class Chain>
class gradient_job;
template <class T, class... Step>
class gradient_job<T, gradient_chain<Step...>> {
 public:
  gradient_job(cpu const& backend, gradient_chain<Step...> const& chain, tensor_list<T> const& gradients)
      : gradient_job(backend, chain, gradients, [](detail::tensor_units units, std::size_t) { return units; }) {}

  /// Computes the report and the factors. `maximum` is the largest number that can be written.
  gradient_report measure(double maximum) {
    const detail::gradient_plan plan = detail::plan_of(chain_, maximum);
    sum_units(plan);
    return detail::settle(plan, plan.scale, norms_);
  }

  void apply() {
    for_chunks(backend_, cut_.pieces(), 0, [&](index piece, std::byte*) {
      const std::size_t i = cut_.tensor_of(piece);
      T* const g = gradients_[i].data;
      cut_[i].visit(
          piece,
          [&](index slot, index unit, index first, index n) {
            const detail::scaling scale_rule = scale_rule_.with(norms_.factors[unit]);
            const double largest = norms_.sums[slot].largest;
            if (!scale_rule.changes(largest)) return;
            if (scale_rule.fits<accumulator_t<T>>(largest))
              scale_numbers(g + first, n, scale_rule);
            else
              scale_carefully(g + first, n, scale_rule);
          },
          [&](index slot, index unit, index first, index n) {
            double const* const factors = norms_.factors + unit;
            bool any = false, fit = true;
            for (index c = 0; c < n; ++c) {
              const double largest = norms_.sums[slot + c].largest;
              any = any || scale_rule_.with(factors[c]).changes(largest);
              fit = fit && scale_rule_.with(factors[c]).template fits<accumulator_t<T>>(largest);
            }
            if (any && fit) scale_columns<accumulator_t<T>>(g + first, units_of(i), n, scale_rule_, factors);
            if (any && !fit) scale_columns<double>(g + first, units_of(i), n, scale_rule_, factors);
          });
    });
  }

 protected:
  /// `adjust` takes the units of the tensor that stands in the list, and its number, and returns those of the whole.
  template <class Adjust>
  gradient_job(cpu const& backend, gradient_chain<Step...> const& chain, tensor_list<T> const& gradients,
               Adjust const& adjust)
      : backend_(backend),
        chain_(chain),
        gradients_(gradients),
        cut_(gradients.size(), [&](std::size_t i) { return adjust(units_of(i), i); }),
        norms_(cut_) {}

  detail::tensor_units units_of(std::size_t i) const {
    detail::tensor_units units{1, gradients_[i].size, false};
    chain_.each([&]<class S>(S const& step) {
      if constexpr (S::kind == step_kind::unit_norm)
        units = {step.parameters[i].rows, step.parameters[i].columns,
                 step.units == agc_units::columns && step.parameters[i].rows > 1};
    });
    return units;
  }

  /// Computes the sums of all units.
  void sum_units(detail::gradient_plan const& plan) {
    scale_rule_ = plan.scale_rule(plan.scale);
    norms_.before = plan.before;
    for_chunks(backend_, cut_.pieces(), 0, [&](index piece, std::byte*) { sum_units(piece, plan.sums(plan.scale)); });
  }
  void sum_units(index piece, norm_request how) {
    const std::size_t i = cut_.tensor_of(piece);
    T const* const g = gradients_[i].data;
    cut_[i].visit(
        piece,
        [&](index slot, index, index first, index n) {
          norms_.sums[slot] = sums_of(g + first, n, how);
          each_parameter(i, [&](auto const* w) {
            norms_.weights[slot] = w ? sums_of(w + first, n, weights_).squares : detail::excluded_unit;
          });
        },
        [&](index slot, index, index first, index n) {
          const detail::tensor_units u = units_of(i);
          column_sums(g + first, u.rows, u.columns, n, how, norms_.sums + slot);
          each_parameter(i, [&](auto const* w) {
            power_sums s[detail::columns_per_piece];
            if (w) column_sums(w + first, u.rows, u.columns, n, weights_, s);
            for (index c = 0; c < n; ++c) norms_.weights[slot + c] = w ? s[c].squares : detail::excluded_unit;
          });
        });
  }
  /// If the chain clips adaptively, calls body(parameters of tensor i), with null if the step excludes this tensor.
  template <class Body>
  void each_parameter(std::size_t i, Body const& body) const {
    chain_.each([&]<class S>(S const& step) {
      if constexpr (S::kind == step_kind::unit_norm) {
        const bool excluded = std::find(step.excluded.begin(), step.excluded.end(), i) != step.excluded.end();
        body(excluded ? nullptr : step.parameters[i].data);
      }
    });
  }

  static constexpr norm_request weights_{true, 1, 0};

  cpu const& backend_;
  gradient_chain<Step...> const& chain_;
  tensor_list<T> const& gradients_;
  detail::scaling scale_rule_{1, detail::infinity, 1, detail::infinity};
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

/// Unscales and clips gradients in place by one step or by a hone::chain of steps. The numbers are float, double or a
/// 16-bit type; norms are summed in double. If a norm is not finite, or a result is out of the range of the type, all
/// gradients stay unchanged. Returns the report.
/// Throws hone::invalid_argument if a tensor has no data, sizes differ from those of adaptive_clip's parameters, or
/// two tensors share memory.
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

/// Returns the report that transform would return, without changing a gradient. The optimiser must multiply each
/// gradient by report.factor. Only for chains of unscale and clip_by_global_norm, which have one factor for all.
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
