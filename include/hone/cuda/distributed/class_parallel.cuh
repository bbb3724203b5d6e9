// SPDX-License-Identifier: MIT
/// Evaluates losses of rows whose classes are cut over ranks, on CUDA.
#pragma once

#include <hone/cuda/distributed/shard_blocks.cuh>
#include <hone/cuda/evaluate.cuh>
#include <hone/distributed/class_shard.hpp>
#include <hone/distributed/shard_target.hpp>

#include <hone/core/macros_push.hpp>

namespace hone::inline HONE_ABI {

namespace detail {

template <class View, class... Leaf>
using job_of_shard = on_cuda::job<View, shard_leaf_of<Leaf>...>;

/// Places the memory of a call behind that of sums over a grid and a factor per term; returns the bytes in use.
template <class Job>
std::size_t place_shard(on_cuda::shard_memory<Job>& memory, void* workspace, index rows, int ranks) {
  constexpr std::size_t terms = std::extent_v<typename Job::factors>;
  return memory.place(workspace, on_cuda::aligned_bytes(on_cuda::grid_scratch::bytes + terms * sizeof(double)), rows,
                      ranks);
}

/// Checks the arguments of one rank. On a single rank, that it has all classes.
template <class View, class... Leaf, class C>
void check_shard(list<Leaf...> const& all, View logits, index first, index classes, C const& ranks,
                 typename outputs_of<View>::type const& out, device_reduction const& how) {
  require_shard(logits, first, classes, out.gradient);
  refuse_row_facts(out, "a class_shard");
  const index rows = rows_of(logits), columns = columns_of(logits);
  if (columns > on_cuda::max_columns)
    fail("evaluate: logits have %jd columns, must be at most %jd", std::intmax_t(columns),
         std::intmax_t(on_cuda::max_columns));
  all.each([&](auto const& l) { check_shard_shapes(logits, l, classes); });
  require_outputs_apart(logits, out, all, rows)
      .require_apart_from("the count of mean_over", footprint_of(how.device_count));
  if (int(ranks.size()) > 1) return;
  std::int64_t words[shard_facts::words];
  shard_facts{rows, first, columns, classes}.write(words);
  require_whole(words);
}

/// Returns the fingerprint of what the host knows and must be the same on every rank.
template <class... Leaf>
std::uint64_t print_of_call(list<Leaf...> const& all, device_reduction const& how) {
  checksum64 checksum;
  checksum.add(static_cast<std::uint64_t>(how.how));
  all.each([&]<class L>(L const& leaf) {
    using T = typename L::term_type;
    checksum.add(std::bit_cast<std::uint64_t>(row::temperature_of(leaf.term)));
    for (const int n : {row::own_maxima<T>, row::sums_of_classes<T>, row::later_size<T>, row::close_size<T>})
      checksum.add(static_cast<std::uint64_t>(n));
  });
  return checksum.value();
}

template <class View, class... Leaf, class C>
void enqueue_shard(cuda& backend, list<Leaf...> const& all, View logits, index first, index classes, C const& ranks,
                   typename outputs_of<View>::type const& out, device_reduction const& how) {
  using job_type = job_of_shard<View, Leaf...>;
  using A = typename on_cuda::shard_memory<job_type>::A;
  const index rows = rows_of(logits), columns = columns_of(logits);
  const int size = int(ranks.size());
  on_cuda::shard_memory<job_type> memory{};
  on_cuda::run_or_send(
      [&] {  // makes all that can fail: a rank that fails later would leave others waiting
        check_shard(all, logits, first, classes, ranks, out, how);
        backend.reserve(place_shard(memory, nullptr, rows, size));
        if (on_cuda::overlaps(ranks, rows)) backend.side();
      },
      [&] { on_cuda::send_failed_shard<job_type>(backend, ranks, rows > 0 ? rows : 0); });

  const on_cuda::device_of_stream device(backend.placed());
  if (rows == 0) return on_cuda::write_nothing(backend, out, 0);
  place_shard(memory, backend.workspace(), rows, size);
  on_cuda::check(cudaMemsetAsync(memory.state, 0, sizeof(on_cuda::shard_state), backend.stream()), "cudaMemsetAsync");
  const on_cuda::grid_scratch scratch(backend.workspace());
  double* counted = reinterpret_cast<double*>(static_cast<char*>(backend.workspace()) + on_cuda::grid_scratch::bytes);
  const list cut = all.apply([&](auto const&... l) { return list(shard_leaf(l, first, classes, columns)...); });
  job_type work{{logits, out, cut}, {}, scratch, backend.invalid_labels()};
  on_cuda::shared_rows<A, Leaf...> shared{all, {}, rows, classes};
  std::size_t k = 0;
  all.each([&](auto const& l) {
    work.scales[k] = shared.scales[k] = scale_for(backend, l, all, rows, classes, how, scratch, counted++);
    ++k;
  });
  on_cuda::launch("evaluate: print_kernel", on_cuda::print_kernel<on_cuda::shared_rows<A, Leaf...>>,
                  {on_cuda::blocks_for(rows), on_cuda::block_threads}, backend.stream(), shared, &memory.state->print);
  const on_cuda::shard_claim claim{static_cast<double>(first), static_cast<double>(columns),
                                   static_cast<double>(classes), 0};
  on_cuda::shard_blocks<job_type, C>(backend, ranks, work, memory, claim, print_of_call(all, how)).run();
  if (classes == 0) return on_cuda::write_nothing(backend, out, rows);
  on_cuda::clear_padding(backend, out);
}

}  // namespace detail

/// Enqueues the evaluation of an objective of row losses on logits whose classes are cut over ranks
/// (hone::class_shard), as documented for the CPU. Every rank calls it, with the same rows, labels, weights and
/// reduction; a rank without classes, too. All data, outputs and vectors are in device memory, and ranks are a
/// hone::device_communicator.
///   gradient          of this rank's logits
///   unreduced, value  of all classes, the same bits on every rank
/// Ranks exchange two messages, 32 bytes per row for cross_entropy; from 2048 rows on, the rows are two blocks, and the
/// messages of one are exchanged on a stream of the backend's own while the other is swept. Nothing waits, and the call
/// may be captured if every rank captures and replays it.
///
/// Throws hone::invalid_argument, and writes nothing, as evaluate does. The other ranks do not throw then, because the
/// host does not wait for them: their value and losses are NaN and their gradient is 0, so that nobody trains on a part
/// of the classes. The same happens on every rank if the shards do not have each class once, or if ranks differ in
/// what must be the same. Ask for the value: a gradient of 0 alone says little. The number of rows, and the kinds of
/// the terms, must be the same in any case: they are the sizes of the messages, which NCCL does not compare.
/// Labels are not checked: a row whose label is not a class counts as ignored.
template <class Objective, class T, class C>
void evaluate(cuda& backend, Objective const& objective, class_shard<T, C> const& prediction,
              std::type_identity_t<outputs<std::remove_const_t<T>>> const& out = {},
              device_reduction const& how = mean) {
  using View = matrix_view<const T>;
  static_assert(device_communicator<C>,
                "evaluate: the ranks of a class_shard on hone::cuda must be a device_communicator, such as hone::nccl");
  detail::require_evaluable<Objective, View>();
  if constexpr (device_communicator<C> && hone::objective<Objective>)
    detail::leaves(objective).apply([&]<class... Leaf>(Leaf const&... leaf) {
      if constexpr (detail::require_cuttable(static_cast<detail::list<Leaf...> const*>(nullptr)))
        detail::enqueue_shard(backend, detail::list(leaf...), View(prediction.logits), prediction.first_class,
                              prediction.classes, prediction.ranks, out, how);
    });
}
template <class Objective, class T, class C, std::convertible_to<device_reduction> Reduction>
void evaluate(cuda& backend, Objective const& objective, class_shard<T, C> const& prediction, Reduction const& how) {
  evaluate(backend, objective, prediction, {}, how);
}

/// Returns the bytes of workspace that evaluate needs for an objective on a shard of the classes. Data is not read.
template <objective Objective, class T, device_communicator C>
std::size_t workspace_bytes(Objective const& objective, class_shard<T, C> const& prediction) {
  return detail::leaves(objective).apply([&]<class... Leaf>(Leaf const&...) {
    on_cuda::shard_memory<detail::job_of_shard<matrix_view<const T>, Leaf...>> memory{};
    return detail::place_shard(memory, nullptr, prediction.logits.rows, int(prediction.ranks.size()));
  });
}

}  // namespace hone::inline HONE_ABI

#include <hone/core/macros_pop.hpp>
