// SPDX-License-Identifier: MIT
/// A norm in two halves: the sums of this rank's gradients, and the report by sums that the caller has added up.
#pragma once

#include <hone/core/error.hpp>
#include <hone/cuda/run/device_value.cuh>
#include <hone/cuda/run/tasks.cuh>
#include <hone/cuda/tensors/transform.cuh>

#include <array>
#include <cstddef>

#include <hone/core/macros_push.hpp>

namespace hone::inline HONE_ABI {

/// The sums of a norm in device memory, between hone::measure and hone::settle. They are size() doubles from data() on.
/// Code of the caller's on the stream may read and write them, such as an all-reduce by ncclSum of ncclFloat64:
///
///     hone::device_norm_sums sums(gpu);
///     hone::measure(gpu, clip, gradients_of_this_rank, sums);
///     ncclAllReduce(sums.data(), sums.data(), sums.size(), ncclFloat64, ncclSum, comm, stream);
///     hone::settle(gpu, clip, sums, report);
///
/// They are Σ g², Σ y², Σ |g| and Σ |y|, y being g / scale; a sum that the chain does not need is 0 or repeats another.
/// All are added, none is compared, and none may be rounded to less than a double. NaN and infinities of a gradient are
/// NaN or infinite in the sums: if a rank has one, report.finite() is false on all of them.
class device_norm_sums {
 public:
  explicit device_norm_sums(cuda const& backend) : sums_(backend.placed(), {}, "device_norm_sums: ") {}

  /// Returns a pointer to device memory.
  double* data() const noexcept { return sums_.data()->data(); }
  static constexpr std::size_t size() noexcept { return 4; }

  /// Returns a copy on the host; waits for the stream.
  std::array<double, 4> host() const { return sums_.host(); }

 private:
  on_cuda::device_value<std::array<double, 4>> sums_;
};

namespace on_cuda {

/// Writes the sums of all slots; by one block.
struct keep_sums {
  double* to;

  __device__ void operator()(device_plan const& plan, unit_sums const& of, index slots) const {
    const power_sums s = total_of_slots(of.sums, slots, plan.chain.squares_only(plan.scale()));
    if (threadIdx.x != 0) return;
    to[0] = s.g_squares, to[1] = s.squares, to[2] = s.g_absolute, to[3] = s.absolute;
  }
};
/// Computes the report by sums; by one thread.
struct settle_sums {
  device_plan plan;
  double const* from;
  gradient_report* report;

  __device__ void operator()() const {
    norms_of_all norms{{from[0], from[2], from[1], from[3], 0}, plan.chain.before};
    *report = detail::settle(plan.chain, plan.scale(), norms);
  }
};

template <class... Step>
void require_sums(const char* function, gradient_chain<Step...> const& chain) {
  detail::require_one_factor(chain);
  chain.each([&]<class S>(S const& s) {
    if constexpr (S::kind == step_kind::global_norm)
      detail::require(s.p <= 2, function, "p of clip_by_global_norm", s.p, "1 or 2, whose sums add up over ranks");
  });
}

template <class T, class... Step>
void enqueue_sums(cuda& backend, gradient_chain<Step...> const& chain, device_list<T> const& gradients, double* to) {
  auto const& table = gradients.table();
  const detail::tensor_places places("measure", "gradients", gradients.tensors());
  backend.reserve(bytes_for(table));
  const device_of_stream device(backend.placed());
  launch_pieces("measure: measure_kernel", measure_kernel<T, keep_sums>, table.pieces, backend.stream(), table,
                plan_of(chain, detail::infinity), sums_in(backend.workspace(), table),
                grid_scratch(backend.workspace()).done, keep_sums{to});
}

}  // namespace on_cuda

/// Enqueues the first half of hone::measure, as one kernel: the sums of these gradients, which change nothing else. Of
/// several ranks each one lists the numbers that it alone counts: of a tensor that all ranks have, one rank. A rank may
/// have none. For chains of unscale and clip_by_global_norm; throws hone::invalid_argument if its p is infinity.
template <class Step, class T>
void measure(cuda& backend, Step const& step, device_list<T> const& gradients, device_norm_sums& sums) {
  auto const& chain = detail::as_chain(step);
  on_cuda::require_sums("measure", chain);
  on_cuda::enqueue_sums(backend, chain, gradients, sums.data());
}

/// Enqueues the second half, as one thread: the report of measure by these sums, with its bits if they are those of one
/// measure. It depends on the chain and the sums alone, so ranks whose sums have the same bits have the same report.
/// The chain is that of measure, and a scale in device memory has not changed since.
template <class Step>
void settle(cuda& backend, Step const& step, device_norm_sums const& sums, device_report& report) {
  auto const& chain = detail::as_chain(step);
  on_cuda::require_sums("settle", chain);
  on_cuda::enqueue_tasks("settle: tasks_kernel", backend,
                         on_cuda::settle_sums{on_cuda::plan_of(chain, detail::infinity), sums.data(), report.data()});
}

}  // namespace hone::inline HONE_ABI

#include <hone/core/macros_pop.hpp>
