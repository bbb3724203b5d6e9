// SPDX-License-Identifier: MIT
/// Transforms lists of gradients of several number types together, with one norm.
#pragma once

#include <hone/cpu/tensors/transform.hpp>

#include <algorithm>
#include <cmath>

#include <hone/core/macros_push.hpp>

namespace hone::inline HONE_ABI {
namespace on_cpu {

/// Fails unless every list is valid and none shares memory with another.
template <class T, class... More>
void check_lists(const char* function, tensor_list<T> const& first, tensor_list<More> const&... more) {
  detail::require_tensors(function, "gradients", first);
  const detail::tensor_places places(function, "gradients", first);
  (places.require_apart("a later list", more), ...);
  if constexpr (sizeof...(More) > 0) check_lists(function, more...);
}

/// Returns the sums of all numbers of a list, added piece by piece in a fixed order.
template <class T>
power_sums sums_of_list(cpu const& backend, tensor_list<T> const& list, norm_request how) {
  const unit_cuts cuts(list.size(), [&](std::size_t i) { return detail::tensor_units{1, list[i].size, false}; });
  const auto slots = static_cast<std::size_t>(cuts.slots());
  const scratch<scratch_for::norms> memory(arena::room_for<power_sums>(slots));
  power_sums* const sums = arena(memory.data()).take<power_sums>(slots);
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

/// Applies a chain with one factor for all numbers to several lists.
class shared_norm {
 public:
  shared_norm(cpu const& backend, detail::gradient_plan const& plan)
      : backend_(backend), plan_(plan), scale_rule_(plan.scale_rule(plan.scale)) {}

  template <class T>
  power_sums sums(tensor_list<T> const& list) const {
    return sums_of_list(backend_, list, plan_.sums(plan_.scale));
  }
  /// Computes the report and the factor from the sums over all lists. Does not check the range of the number types.
  gradient_report settle(power_sums const& all) {
    of_all norms{all, scale_rule_};
    return detail::settle(plan_, plan_.scale, norms);
  }
  /// Returns true if every result of a list with these sums is in the range of T.
  template <class T>
  bool fits(power_sums const& sums) const {
    if (plan_.squares_only(plan_.scale)) return true;
    return std::min(sums.power(detail::infinity, scale_rule_.factor, scale_rule_.before), scale_rule_.after) <=
           detail::largest_number<T>();
  }
  template <class T>
  void apply(tensor_list<T> const& list, power_sums const& sums) const {
    if (!scale_rule_.changes(sums.largest)) return;
    const bool fit = scale_rule_.template fits<accumulator_t<T>>(sums.largest);
    for_tensors(backend_, list, [&](std::size_t i, index begin, index end) {
      fit ? scale_numbers(list[i].data + begin, end - begin, scale_rule_)
          : scale_carefully(list[i].data + begin, end - begin, scale_rule_);
    });
  }

 private:
  /// The functions that gradient/settle.hpp calls, for chains without other steps.
  struct of_all {
    power_sums const& all;
    detail::scaling& scale_rule;

    double total(double p) const { return p == 2 ? all.g_squares : p == 1 ? all.g_absolute : all.largest; }
    double norm(double p, double y_scale) const {
      const double power = all.power(p, scale_rule.factor * y_scale, scale_rule.before);
      return p == 2 ? std::sqrt(power) : power;
    }
    void multiply(double by) const { scale_rule.factor *= by; }
    template <class F>
    void multiply_tensors(double, double, F const&) const {}
    template <class F>
    void multiply_units(double, F const&) const {}
  };

  cpu const& backend_;
  detail::gradient_plan plan_;
  detail::scaling scale_rule_;
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

/// Applies hone::transform to several lists, such as one of float and one of half, as if they were one list. The norm
/// is over all numbers together; if it or a result is not finite, no list changes. Only for chains of unscale,
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
  on_cpu::shared_norm shared(backend, detail::plan_of(chain, detail::infinity));
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
