// SPDX-License-Identifier: MIT
/// Evaluates losses of rows whose classes are cut over ranks, on the CPU.
#pragma once

#include <hone/cpu/distributed/shard_blocks.hpp>
#include <hone/cpu/evaluate.hpp>
#include <hone/distributed/agreement.hpp>
#include <hone/distributed/class_shard.hpp>
#include <hone/distributed/fingerprint.hpp>
#include <hone/distributed/shard_target.hpp>
#include <hone/loss/row_facts.hpp>

#include <algorithm>
#include <array>

#include <hone/core/macros_push.hpp>

namespace hone::inline HONE_ABI {

namespace on_cpu {

/// Checks a leaf against the shard; labels, numbers per class and weights against all classes.
template <class View, row_term Term, int Weights>
void check_shard_leaf(View logits, detail::leaf<Term, Weights> const& leaf, index classes) {
  const index rows = detail::rows_of(logits);
  detail::check_shard_shapes(logits, leaf, classes);
  check_row_weights(leaf, rows);
  if constexpr (row::has_target<Term>) leaf.term.target.check_values(rows, classes);
  if constexpr (requires { leaf.term.check_values(rows, classes); }) leaf.term.check_values(rows, classes);
}

}  // namespace on_cpu

namespace detail {

/// Checks the arguments of one rank, computes the factors of the reduction, and returns what other ranks compare.
template <class View, class... Leaf>
shard_facts check_shard(list<Leaf...> const& all, View logits, index first, index classes,
                        typename outputs_of<View>::type const& out, reduction how,
                        std::array<double, sizeof...(Leaf)>& scales) {
  require_shard(logits, first, classes, out.gradient);
  refuse_row_facts(out, "a class_shard");
  const index rows = rows_of(logits), columns = columns_of(logits);
  all.each([&](auto const& l) { on_cpu::check_shard_leaf(logits, l, classes); });
  require_outputs_apart(logits, out, all, rows);
  const index each = count_of_row(how, false, classes);
  scales = all.apply(
      [&](auto const&... l) { return std::array{factor_of(how, on_cpu::divisor_of(l, all, rows, each))...}; });
  return {rows, first, columns, classes, fingerprint_of(all, scales, rows, classes)};
}

/// Evaluates the checked rows, all ranks together.
template <class View, class Ranks, class... Cut>
double evaluate_cut(cpu const& backend, Ranks const& ranks, on_cpu::row_job<View, Cut...> job, index rows_at_once,
                    std::byte* memory) {
  using blocks = on_cpu::shard_blocks<View, Ranks, Cut...>;
  using A = typename on_cpu::row_job<View, Cut...>::A;
  const on_cpu::scratch<on_cpu::scratch_for::class_weights> weights(blocks::weight_bytes(job.columns));
  on_cpu::arena pieces(weights.data());
  std::size_t k = 0;
  job.leaves.each([&](auto const& l) { job.class_weights[k++] = on_cpu::class_weights_of<A>(l, pieces); });
  job.streaming = on_cpu::worth_streaming(job.prediction, job.out.gradient);
  return blocks(backend, ranks, job, rows_at_once, memory).run();
}

template <class View, class Ranks, class... Leaf>
double evaluate_shard(cpu const& backend, list<Leaf...> const& all, View logits, index first, index classes,
                      Ranks const& ranks, typename outputs_of<View>::type out, reduction how) {
  using A = accumulator_t<number_of<View>>;
  using blocks = on_cpu::shard_blocks<View, Ranks, shard_leaf_of<Leaf>...>;
  const auto size = static_cast<std::size_t>(ranks.size());
  const index rows = rows_of(logits), columns = columns_of(logits);
  const auto bytes = [&] {
    return std::max(size * shard_facts::words * sizeof(std::int64_t),
                    blocks::bytes(logits, on_cpu::rows_of_block(rows, classes, ranks.size())));
  };
  std::array<double, sizeof...(Leaf)> scales = {};
  shard_facts mine;
  agree(ranks, "evaluate", [&] {  // all memory is allocated here: a rank that fails later would leave others waiting
    mine = check_shard(all, logits, first, classes, out, how, scales);
    const on_cpu::scratch<on_cpu::scratch_for::shards> reserved(bytes());
    blocks::reserve(backend, logits);
  });
  const on_cpu::scratch<on_cpu::scratch_for::shards> memory(bytes());
  const std::span<std::int64_t> facts(reinterpret_cast<std::int64_t*>(memory.data()), size * shard_facts::words);
  std::fill(facts.begin(), facts.end(), std::int64_t(0));
  mine.write(facts.data() + ranks.rank() * shard_facts::words);
  ranks.sum(facts);
  require_whole(facts);

  const bool counts = std::any_of(scales.begin(), scales.end(), [](double s) { return s != 0; });
  const auto gradient = out.gradient;
  if (!counts) out.gradient.data = nullptr;  // cleared at the end: it may be the logits, which the losses read
  double total = 0;
  if (classes == 0) {
    if (out.unreduced) std::fill_n(out.unreduced, rows, A(0));
  } else {
    const list cut = all.apply([&](auto const&... l) { return list(shard_leaf(l, first, classes, columns)...); });
    total =
        evaluate_cut(backend, ranks, on_cpu::row_job<View, shard_leaf_of<Leaf>...>{{logits, out, cut}, scales, columns},
                     on_cpu::rows_of_block(rows, classes, ranks.size()), memory.data());
  }
  if (!counts) {
    total = 0;
    clear_if_present(gradient);
  }
  if (out.zero_padding) clear_padding(gradient);
  if (out.value) *out.value = narrowed<A>(total);
  return total;
}

}  // namespace detail

/// Evaluates an objective of row losses on logits whose classes are cut over ranks. Every rank calls it, with the same
/// rows, labels, weights and reduction; a rank without classes, too. Labels count all classes, and class weights are
/// those of all classes; a teacher's logits and dense probabilities are cut as the logits are.
///   gradient   of this rank's logits
///   unreduced, value, and the result   of all classes, the same bits on every rank
/// Throws hone::invalid_argument, and writes nothing, as evaluate does, and where the shards do not have each class
/// once or ranks differ in what must be the same. If one rank throws, all do: the others a hone::rank_error.
template <class Objective, class T, class Ranks>
double evaluate(cpu const& backend, Objective const& objective, class_shard<T, Ranks> const& prediction,
                std::type_identity_t<outputs<std::remove_const_t<T>>> const& out = {}, reduction how = mean) {
  using View = matrix_view<const T>;
  static_assert(communicator<Ranks>,
                "evaluate: the ranks of a class_shard must be a communicator, such as hone::mpi or hone::thread_rank");
  return detail::with_leaves<View>(objective, [&]<class... Leaf>(detail::list<Leaf...> const& all) {
    if constexpr (communicator<Ranks> && detail::require_cuttable(static_cast<detail::list<Leaf...> const*>(nullptr)))
      return detail::evaluate_shard(backend, all, View(prediction.logits), prediction.first_class, prediction.classes,
                                    prediction.ranks, out, how);
    else
      return 0.0;  // suppresses further errors of the compiler
  });
}
template <class Objective, class T, class Ranks, std::same_as<reduction> Reduction>
double evaluate(cpu const& backend, Objective const& objective, class_shard<T, Ranks> const& prediction,
                Reduction how) {
  return evaluate(backend, objective, prediction, {}, how);
}

}  // namespace hone::inline HONE_ABI

#include <hone/core/macros_pop.hpp>
