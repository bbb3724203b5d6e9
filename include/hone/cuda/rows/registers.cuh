// SPDX-License-Identifier: MIT
/// Rows in the registers of a team: a complete row, or a part of it at a time.
#pragma once

#include <hone/cuda/memory/row_place.cuh>
#include <hone/cuda/memory/views.cuh>
#include <hone/cuda/run/launch.hpp>

#include <cmath>

#include <hone/core/macros_push.hpp>

namespace hone::inline HONE_ABI::on_cuda {

/// The order of a thread's elements: N adjacent ones at a time if `wide`, otherwise every size-th element.
struct row_cut {
  int columns;
  bool wide;
  divider pixels;
};

/// The numbers of one view: Slots vectors of N numbers, in the type of the view.
template <class T, int N, int Slots>
struct held_numbers {
  vector<T, N> at[Slots];
};

/// Holds Slots · N elements of each thread of a team of Size threads: a complete row if Resident, otherwise one turn of
/// a row. Logits::of(view) returns whether a view holds logits.
template <bool Resident, int N, int Slots, int Size, class Views, class Out, class Logits>
class row_registers;
template <bool Resident, int N, int Slots, int Size, class... View, class Out, class Logits>
class row_registers<Resident, N, Slots, Size, detail::list<View...>, Out, Logits> {
  using T = detail::number_of<Out>;
  using A = accumulator_t<T>;
  static constexpr int stretch = Size * N;  // the part of a row that a slot holds

 public:
  static constexpr bool resident = Resident;

  __device__ row_registers(detail::list<View...> const& views, Out out, row_cut cut, int rank)
      : views_(views), out_(out), cut_(cut), first_(rank * (cut.wide ? N : 1)), step_(cut.wide ? 1 : Size) {}

  struct element {
    row_registers const& of;
    int slot, j, column;

    __device__ bool is_in_row() const { return column < of.cut_.columns; }

    template <int I>
    __device__ A number() const {
      return static_cast<A>(detail::at<std::size_t(I)>(of.numbers_).at[slot].get(j));
    }
  };

  __device__ void begin(index row) {
    place_ = place_of(detail::at<0>(views_), cut_.pixels, row);
    if constexpr (Resident) read();
  }
  template <class Body>
  __device__ void sweep(Body const& body) {
    if constexpr (Resident) {
      body();
    } else {
      for (base_ = 0; base_ < cut_.columns; base_ += Slots * stretch) {
        read();
        body();
      }
    }
  }
  /// Past the end of the row, logits are -inf and all others 0: only bodies that count elements need is_in_row().
  template <class Body>
  __device__ void each(Body const& body) {
    forget();
    each_slot([&](int i, int at) {
#pragma unroll
      for (int j = 0; j < N; ++j) body(element{*this, i, j, at + j * step_});
    });
  }
  __device__ A logit_at(int column) const {
    return static_cast<A>(row_at(detail::at<0>(views_), place_)[column * column_distance()]);
  }

  template <class Body>
  __device__ void write(Body const& body) {
    sweep([&] {
      forget();
      each_slot([&](int i, int at) {
        A to[N];
#pragma unroll
        for (int j = 0; j < N; ++j) to[j] = static_cast<A>(body(element{*this, i, j, at + j * step_}));
        store(narrowed_vector<T>(to), at);
      });
    });
  }
  __device__ void clear(index row) {
    place_ = place_of(detail::at<0>(views_), cut_.pixels, row);
    for (base_ = 0; base_ < cut_.columns; base_ += Slots * stretch)
      each_slot([&](int, int at) { store(vector<T, N>{}, at); });
    base_ = 0;
  }

 private:
  /// Calls body(slot, column of its first element) for every slot.
  template <class Body>
  __device__ void each_slot(Body const& body) const {
#pragma unroll
    for (int i = 0; i < Slots; ++i) {
      if (base_ + i * stretch >= cut_.columns) break;
      body(i, base_ + i * stretch + first_);
    }
  }
  /// Returns the distance of classes in every view. Asks the prediction, because an absent gradient has no sizes.
  __device__ index column_distance() const { return column_step(detail::at<0>(views_)); }
  __device__ bool is_vector(int at) const { return cut_.wide && at + N <= cut_.columns; }

  /// Stops the compiler from keeping the converted numbers between sweeps, which would take twice the registers.
  __device__ void forget() {
    [&]<std::size_t... I>(std::index_sequence<I...>) {
      (forget(detail::at<I>(numbers_)), ...);
    }(std::index_sequence_for<View...>());
  }
  template <class U>
  static __device__ void forget(held_numbers<U, N, Slots>& numbers) {
    if constexpr (sizeof(U) == 2 && N % 2 == 0) {
#pragma unroll
      for (int i = 0; i < Slots; ++i)
#pragma unroll
        for (int j = 0; j < N / 2; ++j) asm("" : "+r"(numbers.at[i].words[j]));
    } else if constexpr (sizeof(U) == 4) {
#pragma unroll
      for (int i = 0; i < Slots; ++i)
#pragma unroll
        for (int j = 0; j < N; ++j) asm("" : "+f"(numbers.at[i].at[j]));
    }
  }

  static __device__ float behind(std::size_t view) { return Logits::of(view) ? -HUGE_VALF : 0.0f; }

  __device__ void read() {
    [&]<std::size_t... I>(std::index_sequence<I...>) {
      (read(detail::at<I>(numbers_), row_at(detail::at<I>(views_), place_), behind(I)), ...);
    }(std::index_sequence_for<View...>());
  }
  template <class U>
  __device__ void read(held_numbers<U, N, Slots>& to, U const* from, float behind) {
    each_slot([&](int i, int at) {
      if (is_vector(at)) {
        to.at[i] = *reinterpret_cast<vector<U, N> const*>(from + at);
      } else {
        const index step = step_ * column_distance();
        U const* next = from + at * column_distance();
#pragma unroll
        for (int j = 0; j < N; ++j, at += step_, next += step)
          to.at[i].set(j, at < cut_.columns ? *next : static_cast<U>(behind));
      }
    });
  }
  __device__ void store(vector<T, N> const& from, int at) const {
    T* to = row_at(out_, place_);
    if (is_vector(at)) {
      *reinterpret_cast<vector<T, N>*>(to + at) = from;
    } else {
      const index step = step_ * column_distance();
      to += at * column_distance();
#pragma unroll
      for (int j = 0; j < N; ++j, at += step_, to += step)
        if (at < cut_.columns) *to = from.get(j);
    }
  }

  detail::list<View...> const& views_;
  Out out_;
  row_cut cut_;
  int first_, step_;
  row_place place_{};
  int base_ = 0;
  detail::list<held_numbers<detail::number_of<View>, N, Slots>...>
      numbers_{};  // forget() also reads slots past the row
};

}  // namespace hone::inline HONE_ABI::on_cuda

#include <hone/core/macros_pop.hpp>
