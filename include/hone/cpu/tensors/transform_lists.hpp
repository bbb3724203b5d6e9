// SPDX-License-Identifier: MIT
/// One norm over gradients of several number types: lists that are transformed together.
#pragma once

#include <hone/cpu/tensors/transform.hpp>

#include <algorithm>
#include <cmath>

#include <hone/core/macros_push.hpp>

namespace hone::inline HONE_ABI {
namespace on_cpu {

/// Every list is in order, and none shares memory with another.
template <class T, class... More>
void check_lists(const char* function, tensor_list<T> const& first, tensor_list<More> const&... more) {
  detail::require_tensors(function, "gradients", first);
  const detail::tensor_places places(function, "gradients", first);
  (places.require_apart("a later list", more), ...);
  if constexpr (sizeof...(More) > 0) check_lists(function, more...);
}

/// Over all numbers of a list, piece by piece in a fixed order.
template <class T>
power_sums sums_of_list(cpu const& backend, tensor_list<T> const& list, y_of_g how) {
  const unit_cuts cuts(list.size(), [&](std::size_t i) { return detail::tensor_units{1, list[i].size, false}; });
  const auto slots = static_cast<std::size_t>(cuts.slots());
  const scratch<scratch_for::norms> memory(carver::room_for<power_sums>(slots));
  power_sums* const sums = carver(memory.data()).take<power_sums>(slots);
  for_chunks(backend, cuts.pieces(), 0, [&](index piece, std::byte*) {
    const std::size_t i = cuts.tensor_of(piece);
    cuts[i].visit(
        piece,
        [&](index slot, index, index first, index n) {
          sums[slot] = sums_of(static_cast<T const*>(list[i].data) + first, n, how);
        },
        [](index, index, index, index) {});
  });
  power_sums all;
  for (std::size_t slot = 0; slot < slots; ++slot) all.add(sums[slot]);
  return all;
}

/// What a chain whose factors are the same for all numbers makes of several lists.
template <class... Step>
class shared_norm {
 public:
  shared_norm(cpu const& backend, gradient_chain<Step...> const& chain)
      : backend_(backend),
        chain_(chain),
        squares_only_(chain.takes_squares_only()),
        way_{chain.unscaling(), chain.limit(false), 1, chain.limit(true)} {}

  template <class T>
  power_sums sums(tensor_list<T> const& list) const {
    return sums_of_list(backend_, list, {squares_only_, squares_only_ ? 1 : way_.scale, way_.before});
  }
  /// The factors that follow from the sums over all lists.
  gradient_report settle(power_sums const& all) {
    gradient_report report;
    report.norm = way_.scale * std::sqrt(all.g_squares);
    report.finite = detail::finite(report.norm * report.norm);
    report.factor = way_.scale;
    if (!report.finite) return report;
    if (const double p = chain_.reported_p(); p != 2) report.norm = p == 1 ? way_.scale * all.g_absolute : all.largest;
    chain_.each([&]<class S>(S const& step) {
      if constexpr (S::kind == step_kind::global_norm) {
        const double power = all.power(step.p, way_.factor * y_scale(), way_.before);
        way_.factor *= detail::clip_factor(step.p == 2 ? std::sqrt(power) : power, step.max);
      }
    });
    report.coefficient = way_.factor;
    report.factor *= report.coefficient;
    return report;
  }
  /// Whether every number of a list with such sums has a place in T.
  template <class T>
  bool fits(power_sums const& sums) const {
    const double largest = sums.power(detail::infinity, way_.factor * y_scale(), way_.before);
    return squares_only_ || std::min(largest, way_.after) <= detail::largest_number<T>();
  }
  template <class T>
  void apply(tensor_list<T> const& list, power_sums const& sums) const {
    if (!way_.changes(sums.largest)) return;
    const bool fit = way_.template fits<accumulator_t<T>>(sums.largest);
    for_tensors(backend_, list, [&](std::size_t i, index begin, index end) {
      fit ? scale_numbers(list[i].data + begin, end - begin, way_)
          : scale_carefully(list[i].data + begin, end - begin, way_);
    });
  }

 private:
  double y_scale() const { return squares_only_ ? way_.scale : 1; }  // what was summed up is y without it

  cpu const& backend_;
  gradient_chain<Step...> const& chain_;
  bool squares_only_;
  detail::scaling way_;
};

template <class... Step>
void require_shared_norm(gradient_chain<Step...> const&) {
  static_assert(
      ((Step::kind == step_kind::unscale || Step::kind == step_kind::value || Step::kind == step_kind::global_norm) &&
       ...),
      "transform: several lists have unscale, clip_by_value and clip_by_global_norm in common; transform "
      "them one by one for clip_by_norm and adaptive_clip");
}

}  // namespace on_cpu

/// hone::transform of several lists, say one of float and one of half, as if they were one: their norm is that of all
/// numbers together, and where it, or one result, is not finite no list is changed. For chains of unscale,
/// clip_by_value and clip_by_global_norm.
///
///     auto report = hone::transform(cpu, hone::clip_by_global_norm(1), of_float, of_half);
template <class Step, class T, class U, class... More>
gradient_report transform(cpu const& backend, Step const& step, tensor_list<T> const& first,
                          tensor_list<U> const& second, tensor_list<More> const&... more) {
  static_assert(!std::is_const_v<T> && !std::is_const_v<U> && (!std::is_const_v<More> && ...),
                "transform: the gradients must not be const, for they are changed in place");
  auto const& chain = detail::as_chain(step);
  on_cpu::require_shared_norm(chain);
  on_cpu::check_lists("transform", first, second, more...);
  on_cpu::shared_norm shared(backend, chain);
  const on_cpu::power_sums sums[] = {shared.sums(first), shared.sums(second), shared.sums(more)...};
  on_cpu::power_sums all;
  for (on_cpu::power_sums const& s : sums) all.add(s);
  gradient_report report = shared.settle(all);
  const auto in_order = [&](auto const& body) {
    on_cpu::power_sums const* of = sums;
    body(first, *of), body(second, *++of), (body(more, *++of), ...);
  };
  in_order([&]<class V>(tensor_list<V> const&, on_cpu::power_sums const& s) {
    report.finite = report.finite && shared.template fits<V>(s);
  });
  if (report.finite) in_order([&](auto const& list, on_cpu::power_sums const& s) { shared.apply(list, s); });
  return report;
}

}  // namespace hone::inline HONE_ABI

#include <hone/core/macros_pop.hpp>
