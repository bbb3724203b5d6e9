// SPDX-License-Identifier: MIT
/// Rows of few classes in the registers of 2 or 4 lanes: several rows per warp, each of whole vectors.
#pragma once

#include <hone/cuda/memory/views.cuh>
#include <hone/cuda/rows/held_numbers.cuh>
#include <hone/cuda/rows/team.cuh>
#include <hone/cuda/rows/worker.cuh>

#include <hone/core/macros_push.hpp>

namespace hone::inline HONE_ABI::on_cuda {

/// Size adjacent lanes of a warp, a power of two. All teams of a warp take the same way through a row, because a
/// shuffle of less than a warp takes a dozen instructions; a team may have no row.
template <int Size>
class small_team {
 public:
  static_assert(Size > 1 && Size < 32 && 32 % Size == 0);
  static constexpr int size = Size;

  /// Says whether the team has a row now.
  __device__ void take(bool has_row) { has_row_ = has_row; }

  __device__ static int lane() { return static_cast<int>(threadIdx.x) % Size; }
  /// Returns -1 in a team without a row, which writes nothing.
  __device__ int rank() const { return has_row_ ? lane() : -1; }
  __device__ bool reads() const { return rank() == 0; }
  /// Returns whether a team of the warp wants to go on.
  __device__ bool any(bool wanted) const { return __any_sync(all_lanes, wanted); }
  template <class X>
  __device__ void share(X& x) const {
    x = __shfl_sync(all_lanes, x, static_cast<int>(threadIdx.x) % 32 / Size * Size);
  }
  template <class Combine, class Each>
  __device__ void reduce(Combine combine, Each const& each) const {
    __syncwarp();  // orders memory, which shuffles do not: the gradient may overwrite logits
    each([&](auto& x) {
#pragma unroll
      for (int step = Size / 2; step > 0; step /= 2) x = combine(x, __shfl_xor_sync(all_lanes, x, step));
    });
  }

 private:
  bool has_row_ = false;
};

/// The rows of a small team: Slots vectors of N numbers per view and thread, of which those that are in the row are
/// read and written. fetch() requests a row before its label is known.
template <int N, int Slots, int Size, class Views, class Out>
class small_row;
template <int N, int Slots, int Size, class... View, class Out>
class small_row<N, Slots, Size, detail::list<View...>, Out> {
  using T = detail::number_of<Out>;
  using A = accumulator_t<T>;
  static constexpr int stretch = Size * N;  // the part of a row that a slot holds

 public:
  static constexpr bool resident = true;
  static constexpr bool compares_labels = true;  // with so few columns cheaper than to write some of them again

  __device__ small_row(detail::list<View...> const& views, Out out, int columns)
      : views_(views), out_(out), columns_(columns), first_(small_team<Size>::lane() * N) {}

  struct element {
    small_row const& of;
    int slot, j, column;

    __device__ static constexpr bool is_in_row() { return true; }
    /// Returns column == c, by a difference that is the same for all elements of a row.
    __device__ bool is_at(int c) const { return c - of.first_ == slot * stretch + j; }
    template <int I>
    __device__ A number() const {
      return static_cast<A>(detail::at<std::size_t(I)>(of.numbers_).at[slot].get(j));
    }
  };

  /// Reads a row, or nothing if the team has none.
  __device__ void fetch(index row, bool has_row) {
    row_ = row, left_ = has_row ? columns_ - first_ : 0;
    [&]<std::size_t... I>(std::index_sequence<I...>) {
      (read(detail::at<I>(numbers_), first_in(detail::at<I>(views_))), ...);
    }(std::index_sequence_for<View...>());
  }
  __device__ void begin(index) const {}
  template <class Body>
  __device__ void sweep(Body const& body) const {
    body();
  }
  template <class Body>
  __device__ void each(Body const& body) {
    forget();
    each_slot([&](int i) {
#pragma unroll
      for (int j = 0; j < N; ++j) body(element{*this, i, j, first_ + i * stretch + j});
    });
  }
  __device__ A logit_at(int column) const {
    auto const& logits = detail::at<0>(views_);
    return static_cast<A>(logits.data[row_ * logits.row_stride + column]);
  }
  template <class Body>
  __device__ void write(Body const& body) {
    forget();
    T* const first = first_in(out_);
    each_slot([&](int i) {
      A to[N];
#pragma unroll
      for (int j = 0; j < N; ++j) to[j] = static_cast<A>(body(element{*this, i, j, first_ + i * stretch + j}));
      *reinterpret_cast<vector<T, N>*>(first + i * stretch) = narrowed_vector<T>(to);
    });
  }
  __device__ void clear(index) const {
    T* const first = first_in(out_);
    each_slot([&](int i) { *reinterpret_cast<vector<T, N>*>(first + i * stretch) = vector<T, N>{}; });
  }

 private:
  template <class Body>
  __device__ void each_slot(Body const& body) const {
#pragma unroll
    for (int i = 0; i < Slots; ++i) {
      if (i * stretch >= left_) break;
      body(i);
    }
  }
  template <class V>
  __device__ auto first_in(V view) const {
    auto* first = view.data + row_ * view.row_stride + first_;
    asm("" : "+l"(first));  // kept, because it would be computed for each slot
    __builtin_assume(__isGlobal(first));
    return first;
  }
  template <class U>
  __device__ void read(held_numbers<U, N, Slots>& to, U const* first) const {
    each_slot([&](int i) { to.at[i] = *reinterpret_cast<vector<U, N> const*>(first + i * stretch); });
  }

  __device__ void forget() {
    [&]<std::size_t... I>(std::index_sequence<I...>) {
      (detail::at<I>(numbers_).forget(), ...);
    }(std::index_sequence_for<View...>());
  }

  detail::list<View...> const& views_;
  Out out_;
  int columns_, first_;  // first_: this thread's first column
  index row_ = 0;
  int left_ = 0;  // the columns of the row from there
  detail::list<held_numbers<detail::number_of<View>, N, Slots>...> numbers_{};
};

/// By teams of Size lanes, for rows of up to Size · Slots · N columns that are whole aligned vectors of N.
template <int N, int Slots, int Size, class Job>
__global__ void __launch_bounds__(block_threads, 1) small_team_kernel(Job const job) {
  constexpr int rows_of_block = block_threads / Size;
  const index rows = job.prediction.rows;
  typename Job::factors scales;
  job.read_scales(scales);
  const auto views = all_views(job.prediction, job.leaves);
  small_team<Size> team;
  small_row<N, Slots, Size, std::remove_const_t<decltype(views)>, decltype(job.out.gradient)> numbers(
      views, job.out.gradient, static_cast<int>(job.prediction.columns));
  row_worker<Job, decltype(numbers), small_team<Size>> worker(job, scales, numbers, team,
                                                              static_cast<int>(job.prediction.columns));
  typename Job::value value(job, scales);
  const int thread = static_cast<int>(threadIdx.x), team_of_warp = thread % 32 / Size;
  for (index i = index(blockIdx.x) * rows_of_block + thread / Size; i - team_of_warp < rows;
       i += index(gridDim.x) * rows_of_block) {
    const bool has_row = i < rows;
    const index row = has_row ? i : rows - 1;
    team.take(has_row);
    numbers.fetch(row, has_row);
    const double loss = worker.evaluate(row);
    value.add_if(true, [&] { return loss; });
  }
  value.finish(job);
}

}  // namespace hone::inline HONE_ABI::on_cuda

#include <hone/core/macros_pop.hpp>
