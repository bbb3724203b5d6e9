// SPDX-License-Identifier: MIT
/// The value of an objective over ranks: kernels add the losses of rows, elements or boxes without rounding, so that
/// neither the cut of the rows nor the order of threads changes a bit. It stands in for memory/values.cuh.
#pragma once

#include <hone/cuda/distributed/message.cuh>
#include <hone/cuda/memory/job.cuh>

#include <hone/core/macros_push.hpp>

namespace hone::inline HONE_ABI::on_cuda {

/// Cuts N numbers of each lane of a warp into doubles that have the same sum, and calls part(x) with each, which is the
/// same in all lanes. Every round takes from each number the multiple of 2^(e + room - 52) that is nearest to it, where
/// the largest is below 2^(e + 1): sums of these multiples fit a double. (Demmel and Nguyen 2013, "Fast reproducible
/// floating-point summation".) Floats within 2^20 of each other take one round. What is not finite, or near the ends of
/// the range of double, is added to `words` number by number. By complete warps, for N <= 16. Overwrites x.
template <int N, class Part>
__device__ void exact_parts(double (&x)[N], std::int64_t* words, Part const& part) {
  constexpr int room = 6 + (N > 8 ? 4 : N > 4 ? 3 : N > 2 ? 2 : N > 1 ? 1 : 0);  // for the sum of 32 N numbers
  for (;;) {
    unsigned largest = 0;
#pragma unroll
    for (int j = 0; j < N; ++j) {
      const unsigned high = static_cast<unsigned>(__double2hiint(x[j])) & 0x7fffffff;
      largest = high > largest ? high : largest;
    }
#pragma unroll
    for (int step = 16; step > 0; step /= 2) {
      const unsigned other = __shfl_xor_sync(all_lanes, largest, step);
      largest = other > largest ? other : largest;
    }
    const int exponent = static_cast<int>(largest >> 20);
    if (exponent < 64 || exponent > 1990) {
#pragma unroll
      for (int j = 0; j < N; ++j)
        if (x[j] != 0) add_exactly(words, x[j]);
      return;
    }
    const double c = __hiloint2double((exponent + room) << 20 | 0x80000, 0);  // 1.5 · 2^(e + room)
    double sum = 0;
#pragma unroll
    for (int j = 0; j < N; ++j) {
      const double multiple = __dsub_rn(__dadd_rn(x[j], c), c);
      sum = __dadd_rn(sum, multiple), x[j] = __dsub_rn(x[j], multiple);
    }
#pragma unroll
    for (int step = 16; step > 0; step /= 2) sum = __dadd_rn(sum, __shfl_xor_sync(all_lanes, sum, step));
    part(sum);
  }
}

/// The values of the elements or boxes of one piece, apart.
template <class A, int N>
struct separate_values {
  A at[N] = {};

  __device__ void add(int j, A x) { at[j] += x; }
  __device__ void clear() {
#pragma unroll
    for (int j = 0; j < N; ++j) at[j] = 0;
  }
};

/// Adds what a warp evaluates to an exact sum. Each lane adds the upper and the lower digits of its numbers, multiples
/// of 2^-33 and of 2^-74 of a unit, which do not round: all digits of floats between 2^-51 and 2^7 units. Others are
/// cut by exact_parts, of which the lanes keep one each. The words in memory see only what remains at the end of a
/// block, or of many turns.
class exact_value {
 public:
  exact_value() = default;
  /// `unit` is the size of the numbers, roughly; the sum is exact for any.
  __device__ explicit exact_value(std::int64_t* words, double unit = 1)
      : words_(words), kept_(0), upper_(0), lower_(0), held_(0), added_(0) {
    exponent_ = __double2hiint(unit) >> 20 & 0x7ff;
    if (exponent_ < 100 || exponent_ > 1900) exponent_ = 1023;
  }
  template <class Job>
  __device__ exact_value(Job const& job, typename Job::factors const& scales)
      : exact_value(job.words, static_cast<double>(job.largest_of(scales))) {}

  /// Rows of large teams take so long that each may go to memory; it leaves the registers to them.
  template <int Size, class Body>
  __device__ void each(index first, index end, index step, Body const& body) {
    if constexpr (Size > 256) {
      for (index i = first; i < end; i += step) {
        const double x = body(i);
        if (words_ && threadIdx.x == 0) add_exactly(words_, x);
      }
      exponent_ = 1023;  // not needed before
    } else {
      const int lane = Size == 1 ? static_cast<int>(threadIdx.x) % 32 : 0;  // a team ends with its last row
      for (index i = first; i - lane < end; i += step) add_if(i < end, [&] { return body(i); });
    }
  }
  template <class Body>
  __device__ void add_if(bool has, Body const& body) {
    decltype(body()) value{};
    if (has) value = body();
    add(value);
  }
  template <class Job, class Body>
  __device__ void each_part(Job const&, int parts, Body const& body) {
    for (int part = static_cast<int>(blockIdx.x); part < parts; part += static_cast<int>(gridDim.x)) body(part);
  }
  template <class Job>
  __device__ void finish(Job const&, int = 0) {
    finish();
  }
  __device__ void finish() {
    __shared__ double of_warps[32];
    const int lane = static_cast<int>(threadIdx.x) % 32, warp = static_cast<int>(threadIdx.x) / 32;
    if (!words_) return;
    const auto to_words = [&](double sum) {
      if (lane == 0) add_exactly(words_, sum);
    };
    if (!__all_sync(all_lanes, kept_ == 0 && is_below(upper_, 15) && is_below(lower_, -26))) {
      double mine[3] = {kept_, upper_, lower_};
      upper_ = lower_ = 0;
      exact_parts(mine, words_, to_words);
    }
#pragma unroll
    for (int step = 16; step > 0; step /= 2) {  // of 32 such numbers
      upper_ = __dadd_rn(upper_, __shfl_down_sync(all_lanes, upper_, step));
      lower_ = __dadd_rn(lower_, __shfl_down_sync(all_lanes, lower_, step));
    }
    if (lane == 0) of_warps[2 * warp] = upper_, of_warps[2 * warp + 1] = lower_;
    __syncthreads();
    if (warp != 0) return;
    double all[1] = {lane < static_cast<int>(blockDim.x) / 16 ? of_warps[lane] : 0};
    exact_parts(all, words_, to_words);
  }

 private:
  static constexpr int most_added = 4096;  // to upper_ and lower_

  /// Returns whether |x| is below 2^exponent units.
  __device__ bool is_below(double x, int exponent) const {
    return (__double2hiint(x) & 0x7fffffff) < (exponent_ + exponent) << 20;
  }
  __device__ void add(double x) {
    double numbers[1] = {x};
    add(numbers);
  }
  template <class A, int N>
  __device__ void add(separate_values<A, N> const& piece) {
    double numbers[N];
#pragma unroll
    for (int j = 0; j < N; ++j) numbers[j] = static_cast<double>(piece.at[j]);
    add(numbers);
  }
  template <int N>
  __device__ void add(double const (&numbers)[N]) {
    if (!words_) return;
    const double c = __hiloint2double((exponent_ + 19) << 20 | 0x80000, 0);  // 1.5 · 2^19 units
    const double d = __hiloint2double((exponent_ - 22) << 20 | 0x80000, 0);
    double upper = upper_, lower = lower_;
    bool fits = added_ < most_added;
#pragma unroll
    for (int j = 0; j < N; ++j) {
      const double x = numbers[j], high = __dsub_rn(__dadd_rn(x, c), c), rest = __dsub_rn(x, high);
      const double low = __dsub_rn(__dadd_rn(rest, d), d);
      upper = __dadd_rn(upper, high), lower = __dadd_rn(lower, low);
      fits = fits && rest == low && is_below(x, 7);
    }
    if (__all_sync(all_lanes, fits)) {
      upper_ = upper, lower_ = lower, added_ += N;
      return;
    }
    double mine[N + 2];
#pragma unroll
    for (int j = 0; j < N; ++j) mine[j] = numbers[j];
    mine[N] = upper_, mine[N + 1] = lower_;
    upper_ = lower_ = 0, added_ = 0;
    exact_parts(mine, words_, [&](double sum) { keep(sum); });
  }
  /// Keeps a number that all lanes have.
  __device__ void keep(double x) {
    const int lane = static_cast<int>(threadIdx.x) % 32;
    if (lane == held_) kept_ = x;
    if (++held_ < 32) return;
    double numbers[1] = {kept_};
    kept_ = 0, held_ = 0;
    exact_parts(numbers, words_, [&](double sum) {
      if (lane == 0) add_exactly(words_, sum);
    });
  }

  std::int64_t* words_;  // null: no value is wanted
  double kept_, upper_, lower_;
  int held_, added_, exponent_;
};

/// A job whose value goes to a sum over ranks.
template <class View, class... Leaf>
struct job_over_ranks : job<View, Leaf...> {
  using value = exact_value;
  template <int N>
  using piece_value = separate_values<typename job_over_ranks::A, N>;

  std::int64_t* words;  // of an exact sum, or null
  typename job_over_ranks::A gradient_factor;

  __device__ static typename job_over_ranks::A largest_of(typename job_over_ranks::factors const& scales) {
    auto largest = scales[0];
#pragma unroll
    for (std::size_t k = 1; k < sizeof...(Leaf); ++k) largest = scales[k] > largest ? scales[k] : largest;
    return largest;
  }
  template <class V>
  __device__ V of_gradient(V x) const {
    return V(gradient_factor) * x;
  }
};

}  // namespace hone::inline HONE_ABI::on_cuda

#include <hone/core/macros_pop.hpp>
