// SPDX-License-Identifier: MIT
/// Rows in the registers of a team: a complete row, or a part of it at a time.
#pragma once

#include <hone/cuda/memory/row_place.cuh>
#include <hone/cuda/memory/views.cuh>
#include <hone/cuda/rows/held_numbers.cuh>
#include <hone/cuda/run/launch.hpp>

#include <cmath>

#include <hone/core/macros_push.hpp>

namespace hone::inline HONE_ABI::on_cuda {

struct row_cut {
  int columns;
  divider pixels;
};

/// Holds Slots · N elements of each thread of a team of Size threads: a complete row if Resident, otherwise one turn of
/// a row. If Wide, a row has at least N elements, and a slot is a vector of adjacent ones. Vectors begin at the first
/// aligned address of a row; the fewer than N elements before them and after the last one go to one thread each.
/// Otherwise a slot is N single elements, every size-th one. Logits::of(view) returns whether a view holds logits.
template <bool Resident, bool Wide, int N, int Slots, int Size, class Views, class Out, class Logits>
class row_registers;
template <bool Resident, bool Wide, int N, int Slots, int Size, class... View, class Out, class Logits>
class row_registers<Resident, Wide, N, Slots, Size, detail::list<View...>, Out, Logits> {
  using T = detail::number_of<Out>;
  using A = accumulator_t<T>;
  using views_type = detail::list<View...>;
  static constexpr int stretch = Size * N;  // the part of a row that a slot holds
  static constexpr int turn = Slots * stretch;
  static constexpr int step = Wide ? 1 : Size;
  static constexpr bool has_ends = Wide && N > 1;
  static_assert(!has_ends || Size >= 2 * (N - 1), "every element at an end of a row needs a thread");

 public:
  static constexpr bool resident = Resident;

  __device__ row_registers(views_type const& views, Out out, row_cut cut, int rank)
      : views_(views),
        out_(out),
        cut_(cut),
        rank_(rank),
        least_(has_ends ? cut.columns - (N - 1) : cut.columns),
        whole_(cut.columns) {}

  struct element {
    row_registers const& of;
    int slot, j, column;
    bool in_row;

    __device__ bool is_in_row() const { return in_row; }

    template <int I>
    __device__ A number() const {
      auto const& numbers = detail::at<std::size_t(I)>(of.numbers_);
      return static_cast<A>(slot < Slots ? numbers.at[slot < Slots ? slot : 0].get(j) : numbers.end);
    }
  };

  __device__ void begin(index row) {
    place(row);
    if constexpr (Resident) read();
  }
  template <class Body>
  __device__ void sweep(Body const& body) {
    each_turn([&] {
      if constexpr (!Resident) read();
      body();
    });
  }
  /// Past the end of the row, logits are -inf and all others 0: only bodies that count elements need is_in_row().
  template <class Body>
  __device__ void each(Body const& body) {
    forget();
    each_slot(
        [&](int i, int at) {
#pragma unroll
          for (int j = 0; j < N; ++j) body(element_at(i, j, at));
        },
        [&] { body(end_element()); });
  }
  __device__ int count() const {
    if constexpr (Wide) {
      return is_complete() ? Slots * N : (is_in_slot(0) ? N : 0) + (has_end() ? 1 : 0);
    } else {
      const int left = cut_.columns - base(), mine = left <= rank_ ? 0 : (left - rank_ + Size - 1) / Size;
      return mine < Slots * N ? mine : Slots * N;
    }
  }
  __device__ A largest()
    requires(Wide && N % 2 == 0 && sizeof(T) == 2)
  {
    forget();
    auto const& numbers = detail::at<0>(numbers_);
    largest_number<T> most;
    each_slot([&](int i, int) { most.meet(numbers.at[i]); }, [&] { most.meet(numbers.end); });
    return static_cast<A>(most.get());
  }
  __device__ A logit_at(int column) const {
    return static_cast<A>(row_at(detail::at<0>(views_), place_)[column * column_distance()]);
  }

  template <class Body>
  __device__ void write(Body const& body) {
    sweep([&] {
      forget();
      T* const to_row = first_in(out_);
      each_slot(
          [&](int i, int at) {
            A to[N];
#pragma unroll
            for (int j = 0; j < N; ++j) to[j] = static_cast<A>(body(element_at(i, j, at)));
            store(narrowed_vector<T>(to), to_row, at);
          },
          [&] { put(end_column(), static_cast<A>(body(end_element()))); });
    });
  }
  /// Whether write() has written a column in this thread, which may then write it again.
  __device__ bool owns(int column) const {
    if constexpr (!has_ends) return column % Size == rank_;
    const int behind = column - head_;
    if (behind < 0) return column == rank_;
    return behind < whole_ ? behind / N % Size == rank_ : column - whole_ == rank_;
  }
  __device__ void put(int column, A value) const {
    row_at(out_, place_)[column * column_distance()] = detail::narrowed<T>(value);
  }
  __device__ void clear(index row) {
    place(row);
    each_turn([&] {
      T* const to_row = first_in(out_);
      each_slot([&](int, int at) { store(vector<T, N>{}, to_row, at); }, [&] { put(end_column(), A(0)); });
    });
  }

 private:
  __device__ void place(index row) {
    place_ = place_of(detail::at<0>(views_), cut_.pixels, row);
    if constexpr (has_ends) {
      head_ = numbers_before_aligned<N>(row_at(detail::at<0>(views_), place_));
      whole_ = (cut_.columns - head_) & -N;
    }
  }
  template <class Body>
  __device__ void each_turn(Body const& body) {
    if constexpr (Resident) {
      body();
    } else {
      base_ = 0;
      while (true) {
        body();
        if (is_last()) break;
        base_ += is_complete() ? turn : stretch;
      }
    }
  }
  __device__ int base() const { return Resident ? 0 : base_; }
  /// Returns the place of this thread's first element in a slot.
  __device__ int first() const { return rank_ * (Wide ? N : 1); }

  /// If not Resident: whether this turn has all slots, in every thread and row. Others have one if Wide, and the last
  /// one of them has the elements at the ends.
  __device__ bool is_complete() const { return !Wide || base_ + turn <= least_; }
  __device__ bool is_last() const {
    return Wide ? !is_complete() && base_ + stretch >= least_ : base_ + turn >= cut_.columns;
  }

  /// Calls body(slot, place of its first element after first()) for every slot, and end() for an element at an end: if
  /// Wide, for those of this thread that are in the row. Of a Resident row, slot 0 is then the last one, which some
  /// threads may not have; the others are in every row for all threads, and are asked for in groups of half of those
  /// that are left.
  template <class Body, class End>
  __device__ void each_slot(Body const& body, [[maybe_unused]] End const& end) const {
    if constexpr (Wide && Resident) {
      const int slots = static_cast<int>(unsigned(least_) / unsigned(stretch));
      complete<1, Slots - 1>(body, slots, 0);
      if (is_in_slot(slots)) body(0, slots * stretch);
      if (has_end()) end();
    } else if constexpr (Wide) {
      if (is_complete()) {
#pragma unroll
        for (int i = 0; i < Slots; ++i) body(i, i * stretch);
      } else {
        if (is_in_slot(0)) body(0, 0);
        if (has_end()) end();
      }
    } else {
#pragma unroll
      for (int i = 0; i < Slots; ++i) {
        if (base() + i * stretch >= cut_.columns) break;
        body(i, i * stretch);
      }
    }
  }
  /// Returns whether this thread's vector of a stretch is in the row.
  __device__ bool is_in_slot(int slot) const { return base() + slot * stretch + first() < whole_; }
  template <int First, int Count, class Body>
  __device__ static void complete(Body const& body, int slots, int at) {
    if constexpr (Count > 0) {
      constexpr int group = (Count + 1) / 2;
      if (slots >= group) {
#pragma unroll
        for (int i = 0; i < group; ++i) body(First + i, at + i * stretch);
        slots -= group, at += group * stretch;
      }
      complete<First + group, Count - group>(body, slots, at);
    }
  }
  __device__ element element_at(int slot, int j, int at) const {
    const int column = head_ + base() + first() + at + j * step;
    return {*this, slot, j, column, Wide || column < cut_.columns};
  }
  /// Returns the address of this thread's first element of this turn: kept, because it would be computed for each slot.
  template <class V>
  __device__ auto first_in(V view) const {
    auto* at = row_at(view, place_) + (head_ + base() + first()) * column_distance();
    asm("" : "+l"(at));
    __builtin_assume(__isGlobal(at));  // which the line above hides
    return at;
  }
  __device__ bool has_end() const { return has_ends && (Resident || is_last()) && rank_ < cut_.columns - whole_; }
  __device__ int end_column() const { return rank_ < head_ ? rank_ : whole_ + rank_; }
  __device__ element end_element() const { return {*this, Slots, 0, end_column(), true}; }
  /// Returns the distance of classes in every view. Asks the prediction, because an absent gradient has no sizes.
  __device__ index column_distance() const { return column_step(detail::at<0>(views_)); }

  /// Stops the compiler from keeping the converted numbers between sweeps, which would take twice the registers.
  __device__ void forget() {
    [&]<std::size_t... I>(std::index_sequence<I...>) {
      (detail::at<I>(numbers_).forget(), ...);
    }(std::index_sequence_for<View...>());
  }

  static __device__ float behind(std::size_t view) { return Logits::of(view) ? -HUGE_VALF : 0.0f; }

  __device__ void read() {
    [&]<std::size_t... I>(std::index_sequence<I...>) {
      (read(detail::at<I>(numbers_), detail::at<I>(views_), behind(I)), ...);
    }(std::index_sequence_for<View...>());
  }
  template <class U, class V>
  __device__ void read(held_numbers<U, N, Slots>& to, V view, [[maybe_unused]] float behind) {
    U const* const row = first_in(view);
    each_slot(
        [&](int i, int at) {
          if constexpr (Wide) {
            to.at[i] = *reinterpret_cast<vector<U, N> const*>(row + at);
          } else {
            const index distance = step * column_distance();
            U const* next = row + at * column_distance();
            int left = cut_.columns - base() - first() - at;
#pragma unroll
            for (int j = 0; j < N; ++j, left -= step, next += distance)
              to.at[i].set(j, left > 0 ? *next : static_cast<U>(behind));
          }
        },
        [&] { to.end = row_at(view, place_)[end_column()]; });
  }
  __device__ void store(vector<T, N> const& from, T* row, int at) const {
    if constexpr (Wide) {
      *reinterpret_cast<vector<T, N>*>(row + at) = from;
    } else {
      const index distance = step * column_distance();
      T* to = row + at * column_distance();
      int left = cut_.columns - base() - first() - at;
#pragma unroll
      for (int j = 0; j < N; ++j, left -= step, to += distance)
        if (left > 0) *to = from.get(j);
    }
  }

  views_type const& views_;
  Out out_;
  row_cut cut_;
  int rank_, least_;      // least_: the elements that are in complete vectors in every row
  int head_ = 0, whole_;  // the elements before the first complete vector, and those in complete vectors
  row_place place_{};
  int base_ = 0;
  detail::list<held_numbers<detail::number_of<View>, N, Slots>...>
      numbers_{};  // forget() also reads slots past the row
};

}  // namespace hone::inline HONE_ABI::on_cuda

#include <hone/core/macros_pop.hpp>
