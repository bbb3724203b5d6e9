// SPDX-License-Identifier: MIT
/// From the norms of gradients to the factors of their units, by one block: a chain's steps one after the other.
#pragma once

#include <hone/core/numbers.hpp>
#include <hone/core/unit_cut.hpp>
#include <hone/cuda/tensors/norms.cuh>
#include <hone/gradient/adaptive_clip.hpp>
#include <hone/gradient/report.hpp>

#include <hone/core/macros_push.hpp>

namespace hone::inline HONE_ABI::on_cuda {

inline constexpr int most_steps = 8, settling_threads = 1024;

/// What the kernels know of a chain.
struct settled_step {
  step_kind kind;
  double max, p, epsilon;
};
struct gradient_plan {
  settled_step steps[most_steps];
  int count;
  bool squares_only;
  double known_scale, before, after, reported_p;
  double most;  // that can be written
  numbers device_scale;

  __device__ double scale() const { return device_scale.is_repeated() ? known_scale / device_scale[0] : known_scale; }
  __device__ y_of_g how() const {  // where numbers grow, it takes the largest to see whether the type has them
    const bool squares = squares_only && scale() <= 1;
    return {squares, squares ? 1 : scale(), before};
  }
};

/// Where the sums and factors of a call are.
struct unit_sums {
  power_sums* sums;  // of a slot
  double* weights;   // Σ w² of a slot, or less than 0 where it is excluded
  double* factors;   // of a unit
  double* spare;     // the same, while steps are taken in turns
  gradient_report* report;
};

/// body(i) for every tensor, a warp each.
template <class Body>
__device__ void each_tensor(int tensors, Body const& body) {
  for (int i = static_cast<int>(threadIdx.x) / 32; i < tensors; i += settling_threads / 32) body(i);
}
__device__ inline double warp_norm(double x, double p) {
#pragma unroll
  for (int step = 16; step > 0; step /= 2) x = detail::combine_powers(x, __shfl_xor_sync(all_lanes, x, step), p);
  return x;
}

/// The norms and factors of a call, by one block.
class settling {
 public:
  __device__ settling(detail::unit_cut const* cuts, int tensors, gradient_plan const& plan, unit_sums const& of,
                      double* shared)
      : cuts_(cuts),
        tensors_(tensors),
        plan_(plan),
        of_(of),
        shared_(shared),
        now_(plan.count % 2 == 0 ? of.factors : of.spare),
        next_(plan.count % 2 == 0 ? of.spare : of.factors) {}

  /// Of a warp's tensor.
  __device__ double tensor_norm(int i, double p) const {
    double x = 0;
    add_slots(x, i, p);
    x = warp_norm(x, p);
    return p == 2 ? sqrt(x) : x;
  }
  /// Of all; in every thread.
  __device__ double norm(double p) {
    double x = 0;
    each_tensor(tensors_, [&](int i) { add_slots(x, i, p); });
    x = total(x, p);
    return p == 2 ? sqrt(x) : x;
  }
  __device__ gradient_report settle() {
    const double p = plan_.reported_p;
    double squares = 0, powers = 0;
    each_tensor(tensors_, [&](int i) {
      for (index u = cuts_[i].first_unit + lane(); u < cuts_[i + 1].first_unit; u += 32) now_[u] = 1;
      each_slot(i, [&](index slot, index) {
        power_sums const& s = of_.sums[slot];
        squares += s.g_squares;
        powers = detail::combine_powers(powers, p == 1 ? s.g_absolute : s.largest, p);
      });
    });
    const double scale = plan_.scale();
    const bool squares_only = plan_.how().squares_only;
    y_scale_ = squares_only ? scale : 1;
    gradient_report report;
    report.norm = scale * sqrt(total(squares, 2));
    report.finite = isfinite(report.norm * report.norm);
    report.factor = scale;
    if (!report.finite) return report;
    if (p != 2) report.norm = (p == 1 ? scale : 1) * total(powers, p);
    for (int k = 0; k < plan_.count; ++k) take(plan_.steps[k], report);
    report.factor *= report.coefficient;
    report.finite = squares_only || min(norm(detail::infinity), plan_.after) <= plan_.most;
    return report;
  }

 private:
  __device__ static int lane() { return static_cast<int>(threadIdx.x) % 32; }

  template <class Body>
  __device__ void each_slot(int i, Body const& body) const {
    const index first = cuts_[i].first_slot, parts = cuts_[i].parts;
    for (index slot = first + lane(); slot < cuts_[i + 1].first_slot; slot += 32)
      body(slot, cuts_[i].first_unit + (parts == 1 ? slot - first : (slot - first) / parts));
  }
  /// To a p-norm of this thread's slots of a tensor.
  __device__ void add_slots(double& x, int i, double p) const {
    each_slot(i, [&](index slot, index unit) {
      x = detail::combine_powers(x, of_.sums[slot].power(p, now_[unit] * y_scale_, plan_.before), p);
    });
  }
  /// Over the block, in every thread and a fixed order; factors that were written are then seen by all.
  __device__ double total(double x, double p) {
    x = warp_norm(x, p);
    __syncthreads();  // the last total may still be read
    if (lane() == 0) shared_[threadIdx.x / 32] = x;
    __syncthreads();
    x = shared_[0];
    for (int w = 1; w < settling_threads / 32; ++w) x = detail::combine_powers(x, shared_[w], p);
    return x;
  }

  __device__ void take(settled_step const& step, gradient_report& report) {
    double all = 1;
    if (step.kind == step_kind::global_norm) {
      all = detail::clip_factor(norm(step.p), step.max);
      report.coefficient *= all;
    }
    each_tensor(tensors_, [&](int i) {
      const double by =
          step.kind == step_kind::tensor_norm ? detail::clip_factor(tensor_norm(i, step.p), step.max) : all;
      const index parts = cuts_[i].parts;
      for (index u = cuts_[i].first_unit + lane(); u < cuts_[i + 1].first_unit; u += 32) {
        if (step.kind == step_kind::unit_norm) {
          const index slot = cuts_[i].first_slot + (u - cuts_[i].first_unit) * parts;
          power_sums s = of_.sums[slot];
          double w = of_.weights[slot];
          for (index k = 1; k < parts; ++k) s.add(of_.sums[slot + k]), w += of_.weights[slot + k];
          next_[u] = now_[u] * (w >= 0 ? adaptive_clip_step<float>::factor(now_[u] * y_scale_ * sqrt(s.squares),
                                                                           sqrt(w), step.max, step.epsilon)
                                       : 1);
        } else {
          next_[u] = now_[u] * by;
        }
      }
      __syncwarp();  // and have been written, for the warp whose tensor it is
    });
    double* const done = now_;
    now_ = next_, next_ = done;
  }

  detail::unit_cut const* cuts_;
  int tensors_;
  gradient_plan const& plan_;
  unit_sums const& of_;
  double* shared_;
  double *now_, *next_;
  double y_scale_ = 1;
};

/// A template, so that only a file that transforms gradients compiles it.
template <class Plan>
__global__ void __launch_bounds__(settling_threads)
    settle_kernel(detail::unit_cut const* cuts, int tensors, Plan const plan, unit_sums const of,
                  gradient_report* copy) {
  __shared__ double shared[settling_threads / 32];
  settling all(cuts, tensors, plan, of, shared);
  const gradient_report report = all.settle();
  if (threadIdx.x != 0) return;
  *of.report = report;
  if (copy) *copy = report;
}

}  // namespace hone::inline HONE_ABI::on_cuda

#include <hone/core/macros_pop.hpp>
