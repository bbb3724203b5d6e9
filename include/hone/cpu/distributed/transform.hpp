// SPDX-License-Identifier: MIT
/// Transforms and measures gradients that lie on several ranks, on the CPU.
#pragma once

#include <hone/cpu/distributed/unit_norms.hpp>
#include <hone/cpu/tensors/transform_lists.hpp>
#include <hone/distributed/gradient_lists.hpp>

#include <algorithm>
#include <optional>
#include <tuple>
#include <type_traits>

#include <hone/core/macros_push.hpp>

namespace hone::inline HONE_ABI {
namespace on_cpu {

/// Transforms lists by a chain that has one factor for all numbers. `maximum` is the largest number that can be
/// written, or 0: that of each list's type. `check` fails where arguments are wrong, and may return a checksum of what
/// else must be the same on all ranks.
template <bool writes, class Chain, communicator C, class Check, class... List>
gradient_report transform_numbers(const char* function, cpu const& backend, Chain const& chain, C const& ranks,
                                  step_sums* sums, Check const& check, double maximum, List const&... lists) {
  detail::step_message message;
  detail::gradient_plan plan;
  double largest[sizeof...(List)] = {};
  message.sum_over(ranks, function, sums, [&](detail::step_message& to) {
    std::uint64_t more = 0;
    if constexpr (std::is_void_v<decltype(check())>)
      check();
    else
      more = check();
    if constexpr (sizeof...(List) == 1)
      (check_gradients(function, chain, detail::tensors_of(lists)), ...);
    else
      check_lists(function, detail::tensors_of(lists)...);
    (detail::require_places(function, "gradients", lists), ...);
    detail::set_shards(function, to, ranks.rank(), lists...);
    plan = detail::plan_of(chain, maximum > 0 ? maximum : detail::infinity);
    to.set_plan(plan, more);
    double* list_largest = largest;
    const auto sum = [&](auto const& list) {
      shared_sums all;
      sum_blocks(
          backend, list, plan.sums(plan.scale), [&](std::size_t) -> shared_sums& { return all; },
          [&](std::size_t i) { return detail::place_of(list, i).counted(ranks.rank()); });
      for (int q = 0; q < (plan.squares_only(plan.scale) ? 1 : 4); ++q) all.add_to(q, to.sum_words(q));
      *list_largest++ = all.largest();
    };
    (sum(lists), ...);
  });
  const bool squares_only = plan.squares_only(plan.scale);
  if (!squares_only) ranks.max(std::span<double>(largest));
  power_sums all = message.totals(squares_only);
  all.largest = *std::max_element(std::begin(largest), std::end(largest));
  shared_norm shared(backend, plan);
  gradient_report report = shared.settle(all);
  [[maybe_unused]] const auto in_order = [&](auto const& body) {
    double const* of = largest;
    const auto call = [&](auto const& list) {
      power_sums its;
      its.largest = *of++;
      body(detail::tensors_of(list), its);
    };
    (call(lists), ...);
  };
  if (!(maximum > 0))
    in_order([&]<class T>(tensor_list<T> const&, power_sums const& its) {
      report.finite = report.finite && shared.template fits<std::remove_const_t<T>>(its);
    });
  if constexpr (writes)
    if (report.finite) in_order([&](auto const& list, power_sums const& its) { shared.apply(list, its); });
  return report;
}

/// Transforms a list by a chain that has a factor for each tensor or unit.
template <class Chain, communicator C, class List>
gradient_report transform_tensors(const char* function, cpu const& backend, Chain const& chain, C const& ranks,
                                  step_sums* sums, List const& list) {
  using T = std::remove_reference_t<decltype(*list[0].data)>;
  using job = std::conditional_t<detail::has_step<Chain>(step_kind::unit_norm), units_over_ranks<T, List, Chain, C>,
                                 tensors_over_ranks<T, List, Chain, C>>;
  static_assert(!(detail::has_step<Chain>(step_kind::unit_norm) && detail::has_step<Chain>(step_kind::tensor_norm)),
                "transform: over ranks a chain has clip_by_norm or adaptive_clip, not both: transform twice");
  detail::step_message message;
  detail::gradient_plan plan;
  std::optional<job> norms;
  message.sum_over(ranks, function, sums, [&](detail::step_message& to) {
    check_gradients(function, chain, detail::tensors_of(list));
    detail::require_places(function, "gradients", list);
    job::check(function, chain, list);
    detail::set_shards(function, to, ranks.rank(), list);
    plan = detail::plan_of(chain, detail::largest_number<T>());
    to.set_plan(plan);
    norms.emplace(backend, chain, list, ranks, plan);
    norms->sum(to);
  });
  gradient_report report;
  if (!norms) return report;  // does not happen: sum_over has filled it, or thrown
  norms->share(message);
  report = detail::settle(plan, plan.scale, *norms);
  if (report.finite) norms->apply();
  return report;
}

template <class Chain, communicator C, class... List>
gradient_report transform_over_ranks(cpu const& backend, Chain const& chain, C const& ranks, step_sums* sums,
                                     std::tuple<List const&...> const& lists) {
  static_assert((detail::holds_numbers_to_write<List> && ...),
                "transform: the gradients must not be const, for they are changed in place");
  return std::apply(
      [&](List const&... list) {
        if constexpr (detail::has_one_factor<Chain>) {
          return transform_numbers<true>("transform", backend, chain, ranks, sums, [] {}, 0, list...);
        } else {
          static_assert(sizeof...(List) == 1,
                        "transform: several lists have unscale, clip_by_value and clip_by_global_norm in common; "
                        "transform them one by one for clip_by_norm and adaptive_clip");
          if constexpr (sizeof...(List) == 1)
            return transform_tensors("transform", backend, chain, ranks, sums, list...);
          else
            return gradient_report{};  // suppresses further errors of the compiler
        }
      },
      lists);
}

template <class Chain, communicator C, class... List>
gradient_report measure_over_ranks(cpu const& backend, Chain const& chain, C const& ranks, step_sums* sums,
                                   std::tuple<List const&...> const& lists) {
  detail::require_one_factor(chain);
  return std::apply(
      [&](List const&... list) {
        return transform_numbers<false>("measure", backend, chain, ranks, sums, [] {}, detail::infinity, list...);
      },
      lists);
}

}  // namespace on_cpu

/// Transforms gradients of a model that lies on several ranks, as transform of one list would the gathered gradients.
/// All ranks call it. The report is that of the whole model, the same on every rank. If a norm or a result is not
/// finite on one rank, no rank changes a gradient.
///   gradients  a hone::sharded_list, or std::tie of several, such as one of float and one of half; as they are after
///              the trainer has averaged or summed what ranks share. A tensor_list is a list of replicated tensors: it
///              is counted on rank 0, and needs a communicator only for the sums, errors and the same report everywhere
///   sums       of the trainer, summed over ranks in the same message
/// Ranks send one message of 4 KiB; another one for the largest number if a chain clips by value, takes the 1-norm or
/// infinity norm, or unscales by less than 1; and up to two and one for each norm with clip_by_norm or adaptive_clip.
/// The latter sum units that several ranks share, a number or two each, a clipped tensor 568 bytes for each of its
/// sums. The report and the gradients have the same bits for every number of ranks and every cut, provided that a
/// hone::shard begins at a multiple of hone::shard_block, a hone::column_shard at such a column, and units of
/// adaptive_clip lie on one rank each. Other cuts change last digits only. Ranks must run on processors with registers
/// of one size. Throws what transform throws, and hone::invalid_argument if a tensor does not lie in its whole, if
/// ranks pass different steps, or if shards do not add up to the wholes that all ranks list. If one rank throws, all
/// do, and no gradient has changed.
///
///     auto report = hone::transform(cpu, hone::clip_by_global_norm(1), gradients, ranks);
template <class Step, detail::gradient_lists Lists, communicator C>
gradient_report transform(cpu const& backend, Step const& step, Lists const& gradients, C const& ranks) {
  return on_cpu::transform_over_ranks(backend, detail::as_chain(step), ranks, nullptr, detail::as_lists(gradients));
}
template <class Step, detail::gradient_lists Lists, communicator C>
gradient_report transform(cpu const& backend, Step const& step, Lists const& gradients, C const& ranks,
                          step_sums& sums) {
  return on_cpu::transform_over_ranks(backend, detail::as_chain(step), ranks, &sums, detail::as_lists(gradients));
}

/// Returns the report that transform over ranks would return, without changing a gradient. Only for chains of unscale
/// and clip_by_global_norm.
template <class Step, detail::gradient_lists Lists, communicator C>
gradient_report measure(cpu const& backend, Step const& step, Lists const& gradients, C const& ranks) {
  return on_cpu::measure_over_ranks(backend, detail::as_chain(step), ranks, nullptr, detail::as_lists(gradients));
}
template <class Step, detail::gradient_lists Lists, communicator C>
gradient_report measure(cpu const& backend, Step const& step, Lists const& gradients, C const& ranks, step_sums& sums) {
  return on_cpu::measure_over_ranks(backend, detail::as_chain(step), ranks, &sums, detail::as_lists(gradients));
}

}  // namespace hone::inline HONE_ABI

#include <hone/core/macros_pop.hpp>
