// SPDX-License-Identifier: MIT
/// What a trainer sums over ranks once per step, in device memory.
#pragma once

#include <hone/cuda/distributed/message.cuh>
#include <hone/cuda/run/device_value.cuh>

#include <hone/core/macros_push.hpp>

namespace hone::inline HONE_ABI {

/// The sums of a step as plain numbers: hone::step_sums on the device.
struct step_totals {
  double loss = 0;              ///< Σ of the losses, not their mean
  double others[2] = {};        ///< the caller's own, such as Σ of weights
  std::int64_t rows = 0;        ///< rows, or tokens, that were not ignored
  std::int64_t positives = 0;   ///< positive anchors of a detector
  std::int64_t counts[4] = {};  ///< the caller's own, such as hits
};

/// Sums of one step in device memory. Kernels of the trainer write this rank's numbers to data() before transform,
/// measure or step; after it, data() has those of all ranks, and kernels, or host(), read them. They travel in the
/// message of the norm. The doubles of ranks are added exactly and rounded once. If a rank failed, they are unchanged.
///
///     hone::device_step_sums sums(gpu);
///     count_kernel<<<…>>>(labels, &sums.data()->rows);
///     hone::transform(gpu, clip, gradients, ranks, &report, &sums);
class device_step_sums {
 public:
  explicit device_step_sums(cuda const& backend) : totals_(backend.placed(), {}, "device_step_sums: ") {}

  /// Returns a pointer to device memory.
  step_totals* data() const noexcept { return totals_.data(); }
  /// Sets the numbers of this rank, from the host.
  void set(step_totals const& of_rank) { totals_.set(of_rank); }
  /// Returns a copy on the host; waits for the stream.
  step_totals host() const { return totals_.host(); }

 private:
  on_cuda::device_value<step_totals> totals_;
};

namespace on_cuda {

/// Where the numbers of step_totals are in a message.
struct step_words {
  static constexpr int sums = 3, integers = 6;
  static constexpr int count = sums * exact_words::count + integers;

  __device__ static double& sum(step_totals& t, int k) { return k == 0 ? t.loss : t.others[k - 1]; }
  __device__ static std::int64_t& integer(step_totals& t, int k) {
    return k == 0 ? t.rows : k == 1 ? t.positives : t.counts[k - 2];
  }
  /// By one thread each, with k in [0, sums + integers), into words that are 0.
  __device__ static void put(step_totals& t, int k, std::int64_t* words) {
    if (k < sums)
      add_exactly(words + k * exact_words::count, sum(t, k));
    else
      words[sums * exact_words::count + k - sums] = integer(t, k - sums);
  }
  __device__ static void take(step_totals& t, int k, std::int64_t const* words) {
    if (k < sums)
      sum(t, k) = exact_words::value(words + k * exact_words::count);
    else
      integer(t, k - sums) = words[sums * exact_words::count + k - sums];
  }
};

}  // namespace on_cuda
}  // namespace hone::inline HONE_ABI

#include <hone/core/macros_pop.hpp>
