// SPDX-License-Identifier: MIT
/// Evaluates objectives on the CPU over the rows of all ranks.
#pragma once

#include <hone/cpu/distributed/box_values.hpp>
#include <hone/cpu/distributed/element_values.hpp>
#include <hone/cpu/distributed/row_values.hpp>
#include <hone/cpu/evaluate.hpp>
#include <hone/distributed/agreement.hpp>
#include <hone/distributed/rank_reduction.hpp>

#include <algorithm>
#include <array>
#include <type_traits>

#include <hone/core/macros_push.hpp>

namespace hone::inline HONE_ABI {

namespace detail {

/// Stores this rank's part of the divisors in words, as divisor_words has them.
template <class View, class... Leaf>
void put_divisors(list<Leaf...> const& all, View prediction, reduction how, std::span<std::int64_t> words) {
  if (how.how == reduction::kind::sum) return;
  if (how.how == reduction::kind::mean_over) {
    exact_sum count;
    count.add(how.count);
    return count.put(words.data());
  }
  const index rows = rows_of(prediction);
  const index each = count_of_row(how, kind_of_sum<Leaf...>() == sum_of::elements, columns_of(prediction));
  std::int64_t* to = words.data();
  all.each([&]<class L>(L const& l) {
    if constexpr (divides_by_weights_of<L>) {
      exact_sum weights;
      on_cpu::each_label_weight(l, rows, [&](double w) { weights.add(w); });
      weights.put(to), to += exact_words::count;
    } else {
      *to++ = static_cast<std::int64_t>(on_cpu::divisor_of(l, all, rows, each));
    }
  });
}

/// Runs check() on every rank and returns the divisors of all. One sum over ranks.
template <communicator C, class View, class... Leaf, class Check>
std::array<double, sizeof...(Leaf)> sum_divisors(C const& ranks, const char* function, list<Leaf...> const& all,
                                                 View prediction, reduction how, Check const& check) {
  using layout = words_of_divisors<Leaf...>;
  std::int64_t words[std::size_t(status_words) + layout::most];
  const std::span<std::int64_t> used(words, std::size_t(status_words) + layout::size(how));
  sum_or_fail(ranks, function, used, [&](std::span<std::int64_t> of_divisors) {
    check();
    put_divisors(all, prediction, how, of_divisors);
  });
  const index each = count_of_row(how, false, columns_of(prediction));
  std::array<double, layout::terms> divisors;
  for (std::size_t k = 0; k < layout::terms; ++k) divisors[k] = layout::get(k, how, words + status_words, each);
  return divisors;
}

/// Fills this rank's outputs and returns its part of the value. `factors` are 1 over the divisors.
template <class View, class... Leaf>
exact_sum evaluate_part(cpu const& backend, list<Leaf...> const& all, View prediction,
                        typename outputs_of<View>::type out, std::array<double, sizeof...(Leaf)> const& factors,
                        double gradient_factor) {
  constexpr sum_of kind = kind_of_sum<Leaf...>();
  using A = accumulator_t<number_of<View>>;
  const index rows = rows_of(prediction), columns = columns_of(prediction);
  const bool counts = std::any_of(factors.begin(), factors.end(), [](double f) { return f != 0; });
  const auto gradient = out.gradient;
  if (!counts) out.gradient.data = nullptr;  // cleared at the end: it may be the prediction, which the losses read
  on_cpu::shared_exact_sum sum;
  if (columns == 0) {  // rows without classes do not count
    if (kind == sum_of::rows && out.unreduced) std::fill_n(out.unreduced, rows, A(0));
  } else if constexpr (kind == sum_of::rows) {
    auto of_gradient = factors;
    for (double& f : of_gradient) f *= gradient_factor;
    on_cpu::sum_rows(backend, on_cpu::row_job_over_ranks<View, Leaf...>{
                                  {{prediction, out, all}, of_gradient, columns}, factors, &sum});
  } else if constexpr (kind == sum_of::elements) {
    on_cpu::sum_elements(backend, on_cpu::element_job_over_ranks<View, Leaf...>{
                                      {{prediction, out, all}, factors, columns}, gradient_factor, &sum});
  } else {
    on_cpu::sum_boxes(
        backend, on_cpu::box_job_over_ranks<View, Leaf...>{{{prediction, out, all}, factors}, gradient_factor, &sum});
  }
  if constexpr (kind == sum_of::rows) on_cpu::write_row_counts(out, all, rows, columns);
  if (out.zero_padding) clear_padding(gradient);
  if (counts) return sum.get();
  clear_if_present(gradient);
  return {};
}

template <class View, class... Leaf, communicator C, class Divisors>
double evaluate_over_ranks(cpu const& backend, list<Leaf...> const& all, View prediction,
                           typename outputs_of<View>::type out, rank_reduction<C, Divisors> const& how) {
  static_assert(!any_region_loss<Leaf...>,
                "evaluate: a region loss is a function of sums over the pixels of its region, and has no value over "
                "ranks: evaluate it per rank, by a hone::reduction");
  using A = accumulator_t<number_of<View>>;
  auto* const value = out.value;
  const auto check = [&] {
    check_arguments(all, prediction, out);
    if (how.part() && value) fail("evaluate: outputs.value must be absent where the value is summed later (into)");
  };
  const auto evaluate = [&](std::array<double, sizeof...(Leaf)> const& divisors) {
    out.value = nullptr;
    return evaluate_part(backend, all, prediction, out, factors_of(divisors, how.least_divisor()),
                         how.gradient_factor());
  };
  exact_sum part;
  std::int64_t words[status_words + exact_words::count];
  const auto sum_value = [&](auto const& part_of_rank) {
    sum_or_fail(how.ranks(), "evaluate", words, [&](std::span<std::int64_t> to) {
      part = part_of_rank();
      part.put(to.data());
    });
  };
  if constexpr (std::same_as<Divisors, reduction>) {
    const auto divisors = sum_divisors(how.ranks(), "evaluate", all, prediction, how.divisors(), check);
    if (how.part())
      part = evaluate(divisors);
    else
      sum_value([&] { return evaluate(divisors); });
  } else {
    static_assert(std::same_as<Divisors, rank_divisors<sizeof...(Leaf)>>,
                  "evaluate: the rank_divisors must have one divisor per term of the objective");
    const auto checked = [&] { return check(), evaluate(how.divisors().of_term); };
    if (how.part())
      part = checked();
    else
      sum_value(checked);
  }
  if (how.part()) return how.part()->add(part), part.value();
  const double total = exact_words::value(words + status_words);
  if (value) *value = narrowed<A>(total);
  return total;
}

template <class Objective, class View, communicator C, class Divisors>
double evaluate_view_over_ranks(cpu const& backend, Objective const& objective, View prediction,
                                typename outputs_of<View>::type const& out, rank_reduction<C, Divisors> const& how) {
  return with_leaves<View>(objective,
                           [&](auto const& all) { return evaluate_over_ranks(backend, all, prediction, out, how); });
}

template <class Objective, class View, communicator C>
auto divisors_over_ranks(Objective const& objective, View prediction, C const& ranks, reduction how) {
  require_evaluable<Objective, View>();
  return leaves(objective).apply([&](auto const&... l) {
    const list all(l...);
    return rank_divisors<sizeof...(l)>{
        sum_divisors(ranks, "divisors", all, prediction, how, [&] { check_leaves(all, prediction); })};
  });
}

}  // namespace detail

/// Evaluates an objective on this rank's rows of a prediction, as hone::evaluate does, reduced over the rows of all
/// ranks (hone::over_ranks). Returns the value of all rows and writes it to outputs.value: the same bits on every rank,
/// for any number of ranks and any cut of the rows. The same holds for `unreduced`, and for the gradient if ranks sum
/// gradients. A rank may have no rows. `log_sum_exp`, `predicted`, `correct` and `counted` are of this rank's rows.
///
/// Two sums over ranks: the divisors with the status, 3 to 73 words of 64 bits for a term, before anything is written;
/// and the value with the status, 73 words. `into` leaves out the second one, divisors that were summed before the
/// first. Every rank takes part in both, with the same objective, reduction and outputs.value or `into`.
///
/// Throws hone::invalid_argument where evaluate does, and hone::rank_error on all other ranks; no rank has written
/// anything then. With divisors that were summed before, other ranks have written their outputs, and with `into`
/// besides the rank throws alone: the arguments that divisors has checked cannot fail.
template <class Objective, class T, communicator C, class Divisors>
double evaluate(cpu const& backend, Objective const& objective, matrix_view<T> prediction,
                std::type_identity_t<outputs<std::remove_const_t<T>>> const& out,
                rank_reduction<C, Divisors> const& how) {
  return detail::evaluate_view_over_ranks(backend, objective, matrix_view<const T>(prediction), out, how);
}
/// The same for the pixels of images. Ranks may have different numbers of images, and images of different sizes.
template <class Objective, class T, communicator C, class Divisors>
double evaluate(cpu const& backend, Objective const& objective, image_view<T> prediction,
                std::type_identity_t<outputs<std::remove_const_t<T>, image_view>> const& out,
                rank_reduction<C, Divisors> const& how) {
  return detail::evaluate_view_over_ranks(backend, objective, image_view<const T>(prediction), out, how);
}
/// Returns the value of all rows and writes no outputs.
template <class Objective, class T, communicator C, class Divisors>
double evaluate(cpu const& backend, Objective const& objective, matrix_view<T> prediction,
                rank_reduction<C, Divisors> const& how) {
  return evaluate(backend, objective, prediction, {}, how);
}
template <class Objective, class T, communicator C, class Divisors>
double evaluate(cpu const& backend, Objective const& objective, image_view<T> prediction,
                rank_reduction<C, Divisors> const& how) {
  return evaluate(backend, objective, prediction, {}, how);
}

/// Returns the divisors of the terms of an objective, summed over all ranks, for hone::over_ranks. Reads labels and
/// class weights and no logits, so the sum can be made while the network computes them: the prediction's data must be
/// set, and may be written later. One sum over ranks. Throws where evaluate does for the objective, on all ranks.
template <class Objective, class T, communicator C>
auto divisors(cpu const&, Objective const& objective, matrix_view<T> prediction, C const& ranks, reduction how = mean) {
  return detail::divisors_over_ranks(objective, matrix_view<const T>(prediction), ranks, how);
}
template <class Objective, class T, communicator C>
auto divisors(cpu const&, Objective const& objective, image_view<T> prediction, C const& ranks, reduction how = mean) {
  return detail::divisors_over_ranks(objective, image_view<const T>(prediction), ranks, how);
}

}  // namespace hone::inline HONE_ABI

#include <hone/core/macros_pop.hpp>
