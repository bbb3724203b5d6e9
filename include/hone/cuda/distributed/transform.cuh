// SPDX-License-Identifier: MIT
/// transform and measure over ranks, on CUDA.
#pragma once

#include <hone/cuda/distributed/gradients.cuh>
#include <hone/cuda/tensors/transform.cuh>

#include <hone/core/macros_push.hpp>

namespace hone::inline HONE_ABI {

namespace on_cuda {

/// The workspace of a call over ranks: the message, and what apply_kernel reads.
struct ranks_workspace {
  gradient_message message{};
  unit_sums of{};

  template <class Table>
  static std::size_t bytes(Table const& flat, int ranks) {
    return bytes_for(flat) + aligned_bytes(message_bytes(gradient_message::count(ranks)));
  }
  template <class Table, class C>
  ranks_workspace(cuda const& backend, Table const& flat, C const& ranks)
      : message{reinterpret_cast<std::int64_t*>(workspace_of_kernels(backend)), int(ranks.rank()), int(ranks.size())} {
    auto* const after =
        reinterpret_cast<char*>(message.words) + aligned_bytes(message_bytes(gradient_message::count(message.ranks)));
    of = sums_in(after - workspace_alignment, flat);
  }
};

template <class... Step>
constexpr void require_chain_over_ranks() {
  static_assert(has_one_factor<Step...>,
                "transform: on CUDA a chain over ranks has only unscale, clip_by_value and clip_by_global_norm: clip "
                "by norms of single tensors before, on ranks that have them whole");
}

/// Enqueues a chain over ranks. All arguments are checked before, check_more() among them.
template <class List, class C, class... Step, class Check>
void enqueue_over_ranks(const char* function, cuda& backend, gradient_chain<Step...> const& chain,
                        List const& gradients, C const& ranks, device_report* report, device_step_sums* sums,
                        bool apply, double maximum, Check const& check_more) {
  require_chain_over_ranks<Step...>();
  const auto table = table_over(gradients, int(ranks.rank()));
  using T = std::remove_reference_t<decltype(*table.flat.data[0])>;
  take_part(backend, ranks, {gradient_message::count(int(ranks.size()))}, [&] {
    const detail::tensor_places places(function, "gradients", gradients.tensors());
    check_more();
    backend.reserve(ranks_workspace::bytes(table.flat, int(ranks.size())));
  });
  const device_of_stream device(backend.placed());
  const ranks_workspace in(backend, table.flat, ranks);
  const device_plan plan = plan_of(chain, maximum);
  step_totals* const totals = sums ? sums->data() : nullptr;
  const index words = gradient_message::count(in.message.ranks);
  clear_message(backend, in.message.words, words);
  launch_pieces("transform: sum_blocks_kernel", sum_blocks_kernel<T>, table.lines.pieces, backend.stream(), table.lines,
                table.counted, table.places, plan, in.message, totals);
  ranks.sum(in.message.words, static_cast<std::size_t>(words), backend.stream());
  launch("transform: settle_ranks_kernel", settle_ranks_kernel<device_plan>, {1, block_threads}, backend.stream(),
         in.message, plan, apply ? table.flat.slots : 0, in.of, report ? report->data() : nullptr, totals);
  if (!apply) return;
  if constexpr (!std::is_const_v<T>)
    launch_pieces("transform: apply_kernel", apply_kernel<T>, table.flat.pieces, backend.stream(), table.flat, plan,
                  in.of, true);
}

}  // namespace on_cuda

/// Enqueues hone::transform over ranks, as documented for the CPU: on this rank's part of the gradients, by the norm of
/// the whole model, with one message per call. `gradients` is a hone::device_sharded_list, or a hone::device_list that
/// is the same on every rank. The report, and `sums` if given, are those of all ranks, the same bits on each of them.
/// If a rank fails in this call, report.finite() is false on all others: nobody takes the step.
template <class Step, class List, device_communicator C>
  requires requires(List const& list) { on_cuda::table_over(list, 0); }
void transform(cuda& backend, Step const& step, List const& gradients, C const& ranks, device_report* report = nullptr,
               device_step_sums* sums = nullptr) {
  using T = std::remove_pointer_t<std::remove_cvref_t<decltype(gradients.tensors()[0].data)>>;
  static_assert(!std::is_const_v<T>, "transform: the gradients must not be const, for they are changed in place");
  on_cuda::enqueue_over_ranks("transform", backend, detail::as_chain(step), gradients, ranks, report, sums, true,
                              detail::largest_number<T>(), [] {});
}

/// Computes the report that transform over ranks would produce, without changing the gradients: the optimiser must
/// multiply each gradient by *report.factor(). For chains of unscale and clip_by_global_norm.
template <class Step, class List, device_communicator C>
  requires requires(List const& list) { on_cuda::table_over(list, 0); }
void measure(cuda& backend, Step const& step, List const& gradients, C const& ranks, device_report& report,
             device_step_sums* sums = nullptr) {
  auto const& chain = detail::as_chain(step);
  detail::require_one_factor(chain);
  on_cuda::enqueue_over_ranks("measure", backend, chain, gradients, ranks, &report, sums, false, detail::infinity,
                              [] {});
}

/// Returns the bytes of workspace for transform, measure and step over ranks.
template <class List, device_communicator C>
  requires requires(List const& list) { on_cuda::table_over(list, 0); }
std::size_t workspace_bytes(List const& gradients, C const& ranks) {
  return on_cuda::ranks_workspace::bytes(on_cuda::table_over(gradients, 0).flat, int(ranks.size()));
}

}  // namespace hone::inline HONE_ABI

#include <hone/core/macros_pop.hpp>
