// SPDX-License-Identifier: MIT
/// The kernels of gradient transformations: one measures norms, one block settles the factors, one writes.
#pragma once

#include <hone/core/numbers.hpp>
#include <hone/cuda/device_list.cuh>
#include <hone/cuda/norms.cuh>
#include <hone/gradient/adaptive_clip.hpp>
#include <hone/gradient/report.hpp>

namespace hone::on_cuda {

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
  numbers device_scale;

  __device__ double scale() const { return device_scale.is_repeated() ? known_scale / device_scale[0] : known_scale; }
  __device__ y_of_g how() const { return {squares_only, squares_only ? 1 : scale(), before}; }
};

/// Where the sums and factors of a call are.
struct unit_sums {
  power_sums* sums;  // of a slot
  double* weights;   // Σ w² of a slot, or less than 0 where it is excluded
  double* factors;   // of a unit
  double* spare;     // the same, while steps are taken in turns
  gradient_report* report;
};

/// What a block knows of the tensor that it works on, read once.
struct shared_piece {
  static constexpr int words = sizeof(detail::unit_cut) / sizeof(index);

  index of_cut[words];
  void* data;
  void const* parameters;

  __device__ detail::unit_cut const& cut() const { return *reinterpret_cast<detail::unit_cut const*>(of_cut); }

  template <class T, class W>
  __device__ void read(list_table<T> const& list, W const* const* weights, index piece) {
    const int t = static_cast<int>(threadIdx.x), i = t < words + 2 ? list.tensor_of[piece] : 0;
    __syncthreads();  // the one before may still be read
    if (t < words) {
      of_cut[t] = reinterpret_cast<index const*>(list.cuts + i)[t];
    } else if (t == words) {
      data = const_cast<std::remove_const_t<T>*>(list.data[i]);
    } else if (t == words + 1) {
      parameters = weights ? weights[i] : nullptr;
    }
    __syncthreads();
  }
};

/// A number that a whole warp wants.
__device__ inline double read_by_warp(double const* from) {
  return __shfl_sync(all_lanes, threadIdx.x % 32 == 0 ? *from : 0, 0);
}

/// body(slot, unit, first number, how many, its row's rank, size of its team) by whole teams of the block's threads.
template <class Row, class Columns>
__device__ void visit_piece(detail::unit_cut const& cut, index piece, Row const& row, Columns const& columns) {
  const int warps = static_cast<int>(blockDim.x) / 32, warp = static_cast<int>(threadIdx.x) / 32;
  const bool by_warps = cut.parts == 1 && cut.per_piece > 1 && cut.units.rows > 1;
  int turn = 0;
  cut.visit(
      piece,
      [&](index slot, index unit, index first, index n) {
        if (!by_warps) return row(slot, unit, first, n, static_cast<int>(threadIdx.x), static_cast<int>(blockDim.x));
        if (turn++ % warps == warp) row(slot, unit, first, n, static_cast<int>(threadIdx.x) % 32, 32);
      },
      columns);
}

template <class T>
__device__ power_sums column_sums(T const* g, detail::tensor_units units, y_of_g how) {
  power_sums s;
  for (index r = 0; r < units.rows; ++r) {
    const accumulator_t<T> x[1] = {static_cast<accumulator_t<T>>(g[r * units.columns])};
    add_numbers(s, x, 1, how);
  }
  return s;
}

template <class T, class W>
__global__ void __launch_bounds__(block_threads)
    measure_kernel(list_table<T> const list, W const* const* parameters, gradient_plan const plan, unit_sums const to) {
  __shared__ shared_piece at;
  const y_of_g how = plan.how(), of_weights{true, 1, 0};
  for (index piece = blockIdx.x; piece < list.pieces; piece += gridDim.x) {
    at.read(list, parameters, piece);
    detail::unit_cut const& cut = at.cut();
    T const* const g = static_cast<T const*>(at.data);
    W const* const w = static_cast<W const*>(at.parameters);
    visit_piece(
        cut, piece,
        [&](index slot, index, index first, index n, int rank, int size) {
          const auto total = [&](power_sums s) { return size == 32 ? warp_total(s) : block_total(s); };
          const power_sums s = total(sums_of(g + first, n, rank, size, how));
          if (rank == 0) to.sums[slot] = s;
          if (!parameters) return;
          const double squares = w ? total(sums_of(w + first, n, rank, size, of_weights)).squares : -1;
          if (rank == 0) to.weights[slot] = squares;
        },
        [&](index slot, index, index first, index n) {
          const index c = threadIdx.x;
          if (c >= n) return;
          to.sums[slot + c] = column_sums(g + first + c, cut.units, how);
          to.weights[slot + c] = w ? column_sums(w + first + c, cut.units, of_weights).squares : -1;
        });
  }
}

/// body(i) for every tensor, a warp each.
template <class Body>
__device__ void each_tensor(int tensors, Body const& body) {
  for (int i = static_cast<int>(threadIdx.x) / 32; i < tensors; i += settling_threads / 32) body(i);
}
/// What a slot's sums are worth in a norm.
__device__ inline double power_of(power_sums const& s, double factor, double p) {
  return p == 2 ? factor * factor * s.squares : factor * (p == 1 ? s.absolute : s.largest);
}
__device__ inline double combined(double a, double b, double p) { return p == 1 || p == 2 ? a + b : b > a ? b : a; }
__device__ inline double warp_norm(double x, double p) {
#pragma unroll
  for (int step = 16; step > 0; step /= 2) x = combined(x, __shfl_xor_sync(all_lanes, x, step), p);
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
    each_slot(i,
              [&](index slot, index unit) { x = combined(x, power_of(of_.sums[slot], now_[unit] * y_scale_, p), p); });
    x = warp_norm(x, p);
    return p == 2 ? sqrt(x) : x;
  }
  /// Of all; in every thread.
  __device__ double norm(double p) {
    double x = 0;
    each_tensor(tensors_, [&](int i) {
      each_slot(
          i, [&](index slot, index unit) { x = combined(x, power_of(of_.sums[slot], now_[unit] * y_scale_, p), p); });
    });
    x = total(x, p);
    return p == 2 ? sqrt(x) : x;
  }
  __device__ gradient_report settle() {
    double squares = 0;
    each_tensor(tensors_, [&](int i) {
      for (index u = cuts_[i].first_unit + lane(); u < cuts_[i + 1].first_unit; u += 32) now_[u] = 1;
      each_slot(i, [&](index slot, index) { squares += of_.sums[slot].g_squares; });
    });
    const double scale = plan_.scale();
    y_scale_ = plan_.squares_only ? scale : 1;
    gradient_report report;
    report.norm = scale * sqrt(total(squares, 2));
    report.finite = isfinite(report.norm);
    report.factor = scale;
    if (!report.finite) return report;
    if (plan_.reported_p != 2) report.norm = norm(plan_.reported_p);
    for (int k = 0; k < plan_.count; ++k) take(plan_.steps[k], report);
    report.factor *= report.coefficient;
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
  /// Over the block, in every thread and a fixed order; factors that were written are then seen by all.
  __device__ double total(double x, double p) {
    x = warp_norm(x, p);
    __syncthreads();  // the last total may still be read
    if (lane() == 0) shared_[threadIdx.x / 32] = x;
    __syncthreads();
    x = shared_[0];
    for (int w = 1; w < settling_threads / 32; ++w) x = combined(x, shared_[w], p);
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

static __global__ void __launch_bounds__(settling_threads)
    settle_kernel(detail::unit_cut const* cuts, int tensors, gradient_plan const plan, unit_sums const of,
                  gradient_report* copy) {
  __shared__ double shared[settling_threads / 32];
  settling all(cuts, tensors, plan, of, shared);
  const gradient_report report = all.settle();
  if (threadIdx.x != 0) return;
  *of.report = report;
  if (copy) *copy = report;
}

template <class T>
__global__ void __launch_bounds__(block_threads)
    apply_kernel(list_table<T> const list, gradient_plan const plan, unit_sums const of) {
  using A = accumulator_t<T>;
  constexpr int N = wide_of<T>;
  __shared__ shared_piece at;
  if (!__shfl_sync(all_lanes, threadIdx.x % 32 == 0 && of.report->finite, 0)) return;
  const double scale = plan.scale(), before = plan.before, after = plan.after;
  const bool clamps = before < detail::infinity || after < detail::infinity;
  const auto changes = [&](double factor, double largest) {
    return scale * factor != 1 || largest > before || largest * factor > after;
  };
  const A first_limit = static_cast<A>(before), last_limit = static_cast<A>(after);
  const auto next = [&](A x, A by, A then) {
    x *= by;
    if (!clamps) return x;
    x = x > first_limit ? first_limit : x < -first_limit ? -first_limit : x;
    x *= then;
    return x > last_limit ? last_limit : x < -last_limit ? -last_limit : x;
  };
  for (index piece = blockIdx.x; piece < list.pieces; piece += gridDim.x) {
    at.read(list, static_cast<T const* const*>(nullptr), piece);
    detail::unit_cut const& cut = at.cut();
    T* const g = static_cast<T*>(at.data);
    visit_piece(
        cut, piece,
        [&](index slot, index unit, index first, index n, int rank, int size) {
          const double factor = read_by_warp(of.factors + unit);
          if (!changes(factor, clamps ? read_by_warp(&of.sums[slot].largest) : 0)) return;
          const A by = static_cast<A>(clamps ? scale : scale * factor), then = static_cast<A>(factor);
          each_piece_of<N>(g + first, n, rank, size, [&](index from, int count) {
            A x[N] = {};
            load(g + first + from, x, count);
#pragma unroll
            for (int j = 0; j < N; ++j) x[j] = next(x[j], by, then);
            store(x, g + first + from, count);
          });
        },
        [&](index slot, index unit, index first, index n) {
          const index c = threadIdx.x;
          if (c >= n || !changes(of.factors[unit + c], of.sums[slot + c].largest)) return;
          const double factor = of.factors[unit + c];
          const A by = static_cast<A>(clamps ? scale : scale * factor), then = static_cast<A>(factor);
          for (index r = 0; r < cut.units.rows; ++r) {
            T& x = g[r * cut.units.columns + first + c];
            x = static_cast<T>(next(static_cast<A>(x), by, then));
          }
        });
  }
}

}  // namespace hone::on_cuda
