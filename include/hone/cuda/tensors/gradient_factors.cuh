// SPDX-License-Identifier: MIT
/// Computes the factors of all units from the norms of gradients in one block, one step of a chain after the other: in
/// the last block of the kernel that measures if all numbers have one factor, and in a kernel of its own otherwise.
#pragma once

#include <hone/core/numbers.hpp>
#include <hone/core/unit_cut.hpp>
#include <hone/cuda/tensors/norms.cuh>
#include <hone/gradient/settle.hpp>

#include <hone/core/macros_push.hpp>

namespace hone::inline HONE_ABI::on_cuda {

inline constexpr int settling_threads = 1024;

/// The plan of a chain for kernels, and a scale that only the device may know.
struct device_plan {
  detail::gradient_plan chain;
  numbers device_scale;

  __device__ double scale() const { return device_scale.is_repeated() ? chain.scale / device_scale[0] : chain.scale; }
};

/// The sums and factors of a call, in device memory.
struct unit_sums {
  power_sums* sums;  // per slot
  double* weights;   // Σ w² per slot, or excluded_unit
  double* factors;   // per unit
  double* spare;     // the second array of factors, because steps alternate between two
  gradient_report* report;
};

/// Calls body(i) for every tensor, with one warp each.
template <class Body>
__device__ void each_tensor(int tensors, Body const& body) {
  for (int i = static_cast<int>(threadIdx.x) / 32; i < tensors; i += settling_threads / 32) body(i);
}
__device__ inline double warp_norm(double x, double p) {
#pragma unroll
  for (int step = 16; step > 0; step /= 2) x = detail::combine_powers(x, __shfl_xor_sync(all_lanes, x, step), p);
  return x;
}

/// The norms that gradient/settle.hpp requires, by one block. All threads call the same functions and get the same
/// results. Factors are read from one array and written to another; then the two are exchanged.
class block_norms {
 public:
  __device__ block_norms(detail::unit_cut const* cuts, int tensors, detail::gradient_plan const& plan,
                         unit_sums const& of, double* shared)
      : cuts_(cuts),
        tensors_(tensors),
        before_(plan.before),
        of_(of),
        shared_(shared),
        now_(plan.count % 2 == 0 ? of.factors : of.spare),
        next_(plan.count % 2 == 0 ? of.spare : of.factors) {
    each_tensor(tensors_, [&](int i) {
      for (index u = cuts_[i].first_unit + lane(); u < cuts_[i + 1].first_unit; u += 32) now_[u] = 1;
    });
    __syncwarp();
  }

  __device__ double total(double p) {
    double x = 0;
    each_tensor(tensors_, [&](int i) {
      each_slot(i, [&](index slot, index) {
        power_sums const& s = of_.sums[slot];
        x = detail::combine_powers(x, p == 2 ? s.g_squares : p == 1 ? s.g_absolute : s.largest, p);
      });
    });
    return over_block(x, p);
  }
  __device__ double norm(double p, double y_scale) {
    double x = 0;
    each_tensor(tensors_, [&](int i) { add_slots(x, i, p, y_scale); });
    x = over_block(x, p);
    return p == 2 ? sqrt(x) : x;
  }
  __device__ void multiply(double by) {
    rewrite([&](int) { return [by](index) { return by; }; });
  }
  template <class F>
  __device__ void multiply_tensors(double p, double y_scale, F const& f) {
    rewrite([&](int i) {
      const double by = f(tensor_norm(i, p, y_scale));
      return [by](index) { return by; };
    });
  }
  template <class F>
  __device__ void multiply_units(double y_scale, F const& f) {
    rewrite([&](int i) {
      return [&, i](index u) {
        const index parts = cuts_[i].parts, slot = cuts_[i].first_slot + (u - cuts_[i].first_unit) * parts;
        power_sums s = of_.sums[slot];
        double w = of_.weights[slot];
        for (index k = 1; k < parts; ++k) s.add(of_.sums[slot + k]), w += of_.weights[slot + k];
        return f(now_[u] * y_scale * sqrt(s.squares), w);
      };
    });
  }

 private:
  __device__ static int lane() { return static_cast<int>(threadIdx.x) % 32; }

  template <class Body>
  __device__ void each_slot(int i, Body const& body) const {
    const index first = cuts_[i].first_slot, parts = cuts_[i].parts;
    for (index slot = first + lane(); slot < cuts_[i + 1].first_slot; slot += 32)
      body(slot, cuts_[i].first_unit + (parts == 1 ? slot - first : (slot - first) / parts));
  }
  /// Adds this thread's slots of a tensor to a p-norm.
  __device__ void add_slots(double& x, int i, double p, double y_scale) const {
    each_slot(i, [&](index slot, index unit) {
      x = detail::combine_powers(x, of_.sums[slot].power(p, now_[unit] * y_scale, before_), p);
    });
  }
  /// Returns the p-norm of the tensor of a warp.
  __device__ double tensor_norm(int i, double p, double y_scale) const {
    double x = 0;
    add_slots(x, i, p, y_scale);
    x = warp_norm(x, p);
    return p == 2 ? sqrt(x) : x;
  }
  /// Reduces over the block, in every thread and a fixed order; all threads then see the factors written before.
  __device__ double over_block(double x, double p) {
    x = warp_norm(x, p);
    __syncthreads();  // other threads may still read the last one
    if (lane() == 0) shared_[threadIdx.x / 32] = x;
    __syncthreads();
    x = shared_[0];
    for (int w = 1; w < settling_threads / 32; ++w) x = detail::combine_powers(x, shared_[w], p);
    return x;
  }
  /// Multiplies the factor of each unit u of tensor i by by_of(i)(u).
  template <class By>
  __device__ void rewrite(By const& by_of) {
    each_tensor(tensors_, [&](int i) {
      const auto by = by_of(i);
      for (index u = cuts_[i].first_unit + lane(); u < cuts_[i + 1].first_unit; u += 32) next_[u] = now_[u] * by(u);
      __syncwarp();  // the factors are now visible to the warp of the tensor
    });
    double* const done = now_;
    now_ = next_, next_ = done;
  }

  detail::unit_cut const* cuts_;
  int tensors_;
  double before_;
  unit_sums const& of_;
  double* shared_;
  double *now_, *next_;
};

/// The norms that gradient/settle.hpp requires if all numbers have one factor, from the sums of all of them.
struct norms_of_all {
  power_sums sums;
  double before;
  double factor = 1;

  __device__ double total(double p) const { return p == 2 ? sums.g_squares : p == 1 ? sums.g_absolute : sums.largest; }
  __device__ double norm(double p, double y_scale) const {
    const double x = sums.power(p, factor * y_scale, before);
    return p == 2 ? sqrt(x) : x;
  }
  __device__ void multiply(double by) { factor *= by; }
  template <class F>
  __device__ void multiply_tensors(double, double, F const&) {}  // such chains have no steps of tensors or units
  template <class F>
  __device__ void multiply_units(double, F const&) {}
};

/// Returns the sums of all slots, in an order that depends on their number alone; valid in the first warp.
__device__ inline power_sums total_of_slots(power_sums const* sums, index slots, bool squares_only) {
  constexpr int at_once = 4;  // that wait for memory together
  power_sums s;
  if (!squares_only) {
    for (index k = threadIdx.x; k < slots; k += blockDim.x) s.add(sums[k]);
    return block_total(s);
  }
  for (index first = threadIdx.x; first < slots; first += at_once * index(blockDim.x)) {
    double x[at_once];
#pragma unroll
    for (int k = 0; k < at_once; ++k) {
      const index slot = first + k * index(blockDim.x);
      x[k] = slot < slots ? __ldcg(&sums[slot].g_squares) : 0;
    }
#pragma unroll
    for (int k = 0; k < at_once; ++k) s.g_squares += x[k];
  }
  s.g_squares = s.squares = block_sum(s.g_squares);
  return s;
}
/// Computes the report, whose coefficient is the one factor, from the sums of all slots; by one block.
struct settle_all {
  gradient_report* copy;

  __device__ void operator()(device_plan const& plan, unit_sums const& of, index slots) const {
    const double scale = plan.scale();
    norms_of_all norms{total_of_slots(of.sums, slots, plan.chain.squares_only(scale)), plan.chain.before};
    if (threadIdx.x != 0) return;
    const gradient_report report = detail::settle(plan.chain, scale, norms);
    *of.report = report;
    if (copy) *copy = report;
  }
};

/// A template, so that only files that transform gradients compile it.
template <class Plan>
__global__ void __launch_bounds__(settling_threads)
    settle_kernel(detail::unit_cut const* cuts, int tensors, Plan const plan, unit_sums const of,
                  gradient_report* copy) {
  __shared__ double shared[settling_threads / 32];
  block_norms norms(cuts, tensors, plan.chain, of, shared);
  const gradient_report report = detail::settle(plan.chain, plan.scale(), norms);
  if (threadIdx.x != 0) return;
  *of.report = report;
  if (copy) *copy = report;
}

}  // namespace hone::inline HONE_ABI::on_cuda

#include <hone/core/macros_pop.hpp>
