// SPDX-License-Identifier: MIT
/// Rows in the shared memory of a block, in the type of their views: a row that is too long for registers is read from
/// global memory once. Every thread copies the numbers that it evaluates itself, so no barrier stands between the copy
/// and its use.
#pragma once

#include <hone/cuda/memory/job.cuh>
#include <hone/cuda/memory/row_place.cuh>
#include <hone/cuda/rows/held_numbers.cuh>
#include <hone/cuda/rows/held_plane.cuh>
#include <hone/cuda/rows/shape.hpp>
#include <hone/cuda/rows/shared_room.cuh>
#include <hone/cuda/rows/worker.cuh>
#include <hone/cuda/run/resident.cuh>

#include <cmath>
#include <type_traits>

#include <hone/core/macros_push.hpp>

namespace hone::inline HONE_ABI::on_cuda {

/// The largest of numbers, ignoring NaN; -inf before the first one.
template <class T>
class largest_of {
 public:
  template <int N>
  __device__ void meet(vector<T, N> const& v) {
#pragma unroll
    for (int j = 0; j < N; ++j) meet(v.get(j));
  }
  __device__ void meet(T x) { most_ = larger()(most_, x); }
  __device__ T get() const { return most_; }

 private:
  T most_ = -HUGE_VALF;
};
template <class T>
  requires(sizeof(T) == 2)
class largest_of<T> : public largest_number<T> {};

/// A row of a block of Size threads, of at least N elements, in shared memory; a thread processes Slots vectors of it
/// at a time. Vectors begin at the first aligned address of a row; the fewer than N elements before them and after the
/// last one go to one thread each, and stay in its registers. The members are those of rows/worker.cuh.
template <int N, int Slots, int Size, class Views, class Out>
class held_row;
template <int N, int Slots, int Size, class... View, class Out>
class held_row<N, Slots, Size, detail::list<View...>, Out> {
  using T = detail::number_of<Out>;
  using A = accumulator_t<T>;
  using views_type = detail::list<View...>;
  using numbers_type = detail::list<vector<detail::number_of<View>, N>...>;
  using indices = std::index_sequence_for<View...>;
  static constexpr int stretch = Size * N, trip = Slots * stretch;
  static_assert(Size >= 2 * (N - 1), "every element at an end of a row needs a thread");

 public:
  static constexpr bool resident = true;

  /// `shared`: held_bytes() of rows/shape.hpp, aligned to 16.
  __device__ held_row(views_type const& views, Out out, int columns, int rank, uint4* shared)
      : views_(views), out_(out), columns_(columns), rank_(rank), trips_((columns - (N - 1)) / trip) {
    char* first = reinterpret_cast<char*>(shared);
    const int vectors = columns / N;
    [&]<std::size_t... I>(std::index_sequence<I...>) {
      ((detail::at<I>(planes_) = {first, vectors},
        first += (index(vectors) * N * index(sizeof(detail::number_of<View>)) + 15) & index(-16)),
       ...);
    }(indices());
  }

  struct element {
    numbers_type const& of;
    int j, column;

    __device__ static constexpr bool is_in_row() { return true; }
    template <int I>
    __device__ A number() const {
      return static_cast<A>(detail::at<std::size_t(I)>(of).get(j));
    }
  };

  __device__ void begin(index row) {
    place(row);
    each_trip([&]<int Count>(std::integral_constant<int, Count>, int v, int later) {
#pragma unroll
      for (int i = 0; i < Count; ++i) copy(v + i * Size, indices());
      if (later > 0) end_group_of_copies();
    });
    end_group_of_copies();
    if (has_end()) read_end(indices());
  }
  template <class Body>
  __device__ void sweep(Body const& body) const {
    body();
  }
  template <class Body>
  __device__ void each(Body const& body) const {
    each_vectors([&]<int Count>(std::integral_constant<int, Count>, int v, auto const& numbers) {
#pragma unroll
      for (int i = 0; i < Count; ++i)
#pragma unroll
        for (int j = 0; j < N; ++j) body(element{numbers[i], j, head_ + (v + i * Size) * N + j});
    });
    if (has_end()) with_end(body, indices());
  }
  /// Begins with the vectors that have come, while the others come.
  __device__ A largest() const {
    largest_of<T> most;
    each_trip([&]<int Count>(std::integral_constant<int, Count>, int v, int later) {
      wait_for_copies(later);
#pragma unroll
      for (int i = 0; i < Count; ++i) most.meet(detail::at<0>(planes_).at(v + i * Size));
    });
    if (has_end()) most.meet(detail::at<0>(end_).get(0));
    return static_cast<A>(most.get());
  }
  __device__ A logit_at(int column) const { return static_cast<A>(row_at(detail::at<0>(views_), place_)[column]); }

  template <class Body>
  __device__ void write(Body const& body) const {
    T* const to_row = first_in(out_);
    each_vectors([&]<int Count>(std::integral_constant<int, Count>, int v, auto const& numbers) {
#pragma unroll
      for (int i = 0; i < Count; ++i) {
        const int at = (v + i * Size) * N;
        A to[N];
#pragma unroll
        for (int j = 0; j < N; ++j) to[j] = static_cast<A>(body(element{numbers[i], j, head_ + at + j}));
        *reinterpret_cast<vector<T, N>*>(to_row + at) = narrowed_vector<T>(to);
      }
    });
    if (has_end()) with_end([&](auto const& e) { put(e.column, static_cast<A>(body(e))); }, indices());
  }
  /// Whether write() has written a column in this thread, which may then write it again.
  __device__ bool owns(int column) const {
    const int behind = column - head_;
    if (behind < 0) return column == rank_;
    return behind < whole_ ? behind / N % Size == rank_ : column - whole_ == rank_;
  }
  __device__ void put(int column, A value) const { row_at(out_, place_)[column] = detail::narrowed<T>(value); }
  __device__ void clear(index row) {
    place(row);
    T* const to_row = first_in(out_);
    for (int at = rank_ * N; at < whole_; at += stretch) *reinterpret_cast<vector<T, N>*>(to_row + at) = vector<T, N>{};
    if (has_end()) put(end_column(), A(0));
  }

 private:
  __device__ void place(index row) {
    place_ = {row, 0};
    head_ = numbers_before_aligned<N>(row_at(detail::at<0>(views_), place_));
    whole_ = (columns_ - head_) & -N;
  }
  /// Calls body(slots, v, later) for this thread's vectors v, v + Size, …: `slots` at a time where all threads have so
  /// many, in every row, and then one by one. `later`: how many groups of copies follow.
  template <class Body>
  __device__ void each_trip(Body const& body) const {
    int v = rank_;
#pragma unroll 1
    for (int later = trips_; later > 0; --later, v += Slots * Size)
      body(std::integral_constant<int, Slots>(), v, later);
#pragma unroll 1
    for (; v * N < whole_; v += Size) body(std::integral_constant<int, 1>(), v, 0);
  }
  /// Calls body(slots, v, numbers[slots]) for the same, once all have come.
  template <class Body>
  __device__ void each_vectors(Body const& body) const {
    wait_for_copies<0>();
    each_trip([&]<int Count>(std::integral_constant<int, Count> slots, int v, int) {
      numbers_type numbers[Count];
#pragma unroll
      for (int i = 0; i < Count; ++i) read(numbers[i], v + i * Size, indices());
      body(slots, v, numbers);
    });
  }
  /// Returns the address of the first vector: kept, because it would be computed for each one.
  template <class V>
  __device__ auto first_in(V view) const {
    auto* at = row_at(view, place_) + head_;
    asm("" : "+l"(at));
    __builtin_assume(__isGlobal(at));  // which the line above hides
    return at;
  }
  template <std::size_t... I>
  __device__ void copy(int v, std::index_sequence<I...>) const {
    (detail::at<I>(planes_).copy(first_in(detail::at<I>(views_)) + v * N, v), ...);
  }
  template <std::size_t... I>
  __device__ void read(numbers_type& to, int v, std::index_sequence<I...>) const {
    ((detail::at<I>(to) = detail::at<I>(planes_).at(v)), ...);
  }

  __device__ bool has_end() const { return rank_ < columns_ - whole_; }
  __device__ int end_column() const { return rank_ < head_ ? rank_ : whole_ + rank_; }
  template <std::size_t... I>
  __device__ void read_end(std::index_sequence<I...>) {
    (detail::at<I>(end_).set(0, row_at(detail::at<I>(views_), place_)[end_column()]), ...);
  }
  template <class Body, std::size_t... I>
  __device__ void with_end(Body const& body, std::index_sequence<I...>) const {
    numbers_type numbers;
    (detail::at<I>(numbers).set(0, detail::at<I>(end_).get(0)), ...);
    body(element{numbers, 0, end_column()});
  }

  views_type const& views_;
  Out out_;
  int columns_, rank_, trips_;  // trips_: with all slots, in every row and thread
  int head_ = 0, whole_ = 0;    // the elements before the first vector, and those in vectors
  row_place place_{};
  detail::list<held_plane<detail::number_of<View>, N>...> planes_;
  detail::list<vector<detail::number_of<View>, 1>...> end_;
};

inline constexpr int held_threads = threads_of(row_kernel::held);

/// The blocks that a multiprocessor must have room for, of rows of one view and arithmetic in float: as many as need no
/// spilled register. Two labels take some, class weights of a uniform part more; before sm_80 conversions to 16 bits
/// do, and no two rows of float fit into shared memory. Over ranks exact sums take registers, too.
template <class Target>
constexpr int blocks_of_held() noexcept {
  if (HONE_DEVICE_ARCHITECTURE < 800 || !detail::is_sparse<Target>) return 1;
  return HONE_DEVICE_ARCHITECTURE >= 900 && Target::labels == 1 ? 3 : 2;
}
template <class Job>
inline constexpr int least_blocks_of_held = 1;
template <class View, class Leaf>
  requires(view_count<typename Leaf::term_type> == 0 && !row::has_later_sweeps<typename Leaf::term_type> &&
           !row::gathers<typename Leaf::term_type> && sizeof(accumulator_t<detail::number_of<View>>) == sizeof(float))
inline constexpr int least_blocks_of_held<job<View, Leaf>> =
    blocks_of_held<detail::target_of_term<typename Leaf::term_type>>();

template <int N, int Slots, int MaxSums, class Job>
__global__ void __launch_bounds__(held_threads, least_blocks_of_held<Job>)
    held_row_kernel(Job const job, int columns, index rows) {
  extern __shared__ uint4 held_row_memory[];
  using block = one_block<held_threads, operand_of<typename Job::A>, MaxSums>;
  __shared__ typename block::memory shared;
  block team(shared);
  typename Job::factors scales;
  job.read_scales(scales);
  const auto views = all_views(job.prediction, job.leaves);
  held_row<N, Slots, held_threads, std::remove_const_t<decltype(views)>, decltype(job.out.gradient)> numbers(
      views, job.out.gradient, columns, team.rank(), held_row_memory);
  row_worker<Job, decltype(numbers), block> worker(job, scales, numbers, team, columns);
  typename Job::value value(job, scales);
  const index step = gridDim.x;
  value.template each<held_threads>(blockIdx.x, rows, step, [&](index row) {
    return worker.template evaluate<true>(row, row + step < rows ? row + step : row);
  });
  value.finish(job);
}

/// Returns the shared memory that the current device has for rows of held_row_kernel.
template <int N, int Slots, int MaxSums, class Job>
shared_room room_for_held() {
  return room_of_kernel(reinterpret_cast<void const*>(held_row_kernel<N, Slots, MaxSums, Job>));
}
template <int N, int Slots, int MaxSums, class Job>
void launch_held(cuda const& backend, Job const& job, int columns, index rows, index bytes) {
  const auto kernel = held_row_kernel<N, Slots, MaxSums, Job>;
  const grid blocks = resident_grid(kernel, rows, held_threads, static_cast<int>(bytes));
  launch("evaluate: held_row_kernel", kernel, job.dependent(blocks), backend.stream(), job, columns, rows);
}

}  // namespace hone::inline HONE_ABI::on_cuda

#include <hone/core/macros_pop.hpp>
