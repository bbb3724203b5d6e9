// SPDX-License-Identifier: MIT
/// Objectives of row terms on the CPU: checks, divisors, and the spreading of rows over threads.
#pragma once

#include <hone/core/reduction.hpp>
#include <hone/cpu/backend.hpp>
#include <hone/cpu/chunks.hpp>
#include <hone/cpu/row_group.hpp>

namespace hone::on_cpu {

/// Throws unless everything that a leaf views fits the prediction.
template <class View, class Leaf>
void check_leaf(View prediction, Leaf const& leaf) {
  using term = typename Leaf::term_type;
  const index rows = detail::rows_of(prediction), columns = detail::columns_of(prediction);
  check_row_weights(leaf, rows);
  if constexpr (term::has_target) leaf.term.target.check(rows, columns);
  if constexpr (term::has_teacher) {
    detail::require_shape(leaf.term.teacher, "distillation teacher", rows, columns);
    if (!detail::same_layout(leaf.term.teacher, prediction))
      detail::fail("evaluate: distillation teacher and prediction cut their pixels into images differently");
  }
}

/// What mean divides a leaf by: the rows that count, or their target weights.
template <class Leaf, class... All>
double divisor_of(Leaf const& leaf, std::tuple<All...> const& leaves, index rows) {
  using term = typename Leaf::term_type;
  if constexpr (term::has_target) {
    auto const& target = leaf.term.target;
    if constexpr (weighed_target<target_of_term<term>>) {
      if constexpr (!target_of_term<term>::has_dense) {
        double total = 0;
        for (index i = 0; i < rows; ++i)
          if (!target.ignores(i)) total += target.label_weight(i, target.weights);
        return total;
      }
    }
    if (!target.ignoring()) return static_cast<double>(rows);
    index counted = 0;
    for (index i = 0; i < rows; ++i) counted += !target.ignores(i);
    return static_cast<double>(counted);
  } else {
    if (!std::apply([&](auto const&... l) { return (target_or_none(l.term).ignoring() || ...); }, leaves))
      return static_cast<double>(rows);
    index counted = 0;
    for (index i = 0; i < rows; ++i)
      counted += !std::apply([&](auto const&... l) { return (target_or_none(l.term).ignores(i) || ...); }, leaves);
    return static_cast<double>(counted);
  }
}

/// Class weights in the type of the arithmetic, kept beside the scratch of the threads.
template <class A, class Leaf>
A const* class_weights_of(Leaf const& leaf, carver& memory) {
  if constexpr (weighed_target<target_of_term<typename Leaf::term_type>>) {
    const numbers weights = leaf.term.target.weights;
    A* copy = memory.template take<A>(static_cast<std::size_t>(weights.size()));
    for (index c = 0; c < weights.size(); ++c) copy[c] = static_cast<A>(weights[c]);
    return copy;
  } else {
    static_cast<void>(leaf), static_cast<void>(memory);
    return nullptr;
  }
}

/// Which power of two the temperature of the first tempered term is; -1 for none.
template <class... Leaf>
int squarings_of(std::tuple<Leaf...> const& leaves) {
  double temperature = 0;
  const auto look = [&](auto const& leaf) {
    if constexpr (std::remove_cvref_t<decltype(leaf.term)>::tempered >= 0)
      if (temperature == 0) temperature = leaf.term.temperature;
  };
  std::apply([&](auto const&... l) { (look(l), ...); }, leaves);
  return temperature == 2 ? 1 : temperature == 4 ? 2 : -1;
}

template <class View, class Outputs, class... Leaf>
double evaluate_rows(cpu const& backend, std::tuple<Leaf...> const& leaves, View prediction, Outputs const& out,
                     reduction how) {
  using job_type = row_job<View, Leaf...>;
  using worker = row_worker<View, Leaf...>;
  using A = typename job_type::A;
  constexpr auto indices = std::index_sequence_for<Leaf...>();
  const index rows = detail::rows_of(prediction), columns = detail::columns_of(prediction);

  std::apply([&](auto const&... l) { (check_leaf(prediction, l), ...); }, leaves);
  if (columns == 0) {  // rows without classes count for nothing
    if (out.unreduced) std::fill_n(out.unreduced, rows, A(0));
    if (out.value) *out.value = 0;
    return 0;
  }
  job_type job{prediction, out, leaves, {}, {}, rows, columns, squarings_of(leaves), false};
  bool any_scale = false;
  [&]<std::size_t... I>(std::index_sequence<I...>) {
    ((job.scales[I] = detail::factor_of(how, divisor_of(std::get<I>(leaves), leaves, rows))), ...);
    any_scale = ((job.scales[I] != 0) || ...);
  }(indices);

  constexpr int weighed = (int(weighed_target<target_of_term<typename Leaf::term_type>>) + ... + 0);
  const std::unique_ptr<std::byte[]> weights(
      weighed ? new std::byte[weighed * (carver::room_for<A>(std::size_t(columns)))] : nullptr);
  carver memory(weights.get());
  [&]<std::size_t... I>(std::index_sequence<I...>) {
    ((job.class_weights[I] = class_weights_of<A>(std::get<I>(leaves), memory)), ...);
  }(indices);

  if (!any_scale && out.gradient.data) {  // mean over nothing: the gradient is 0 whatever the logits are
    for (index i = 0; i < rows; ++i) clear_row(out.gradient, i, columns);
    job.out.gradient.data = nullptr;
  }
  job.streaming = worth_streaming(prediction, job.out.gradient);
  const double total = sum_over_chunks(backend, chunk_plan<A>(prediction), worker::bytes(prediction, columns),
                                       [&](index begin, index end, std::byte* scratch) {
                                         worker w(job, scratch);
                                         return w.run(begin, end);
                                       });
  if (out.value) *out.value = static_cast<A>(total);
  return total;
}

}  // namespace hone::on_cpu
