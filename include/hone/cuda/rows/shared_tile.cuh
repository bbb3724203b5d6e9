// SPDX-License-Identifier: MIT
/// Tiles of short rows: a block moves them through shared memory in the order of global memory, 16 bytes at a time, and
/// each thread evaluates one row. Pixels of images are moved in the same way, class by class.
#pragma once

#include <hone/cuda/memory/views.cuh>
#include <hone/cuda/rows/shape.hpp>
#include <hone/cuda/run/launch.hpp>

#include <type_traits>

#include <hone/core/macros_push.hpp>

namespace hone::inline HONE_ABI::on_cuda {

/// How a grid cuts a prediction into tiles. A line is adjacent in memory: a plane of a tile's pixels, a row, or a
/// complete tile of rows without gaps.
struct tile_plan {
  int rows;  // of a tile: the number of threads of a block
  int columns;
  int stride;  // in shared memory, between rows or between planes
  bool one_line;
  bool wide;    // lines are aligned for vectors
  bool packed;  // and so are they in shared memory, without gaps between rows
  index tiles, all_rows;
  divider tiles_per_image;
  small_divider by_columns;
};

/// One tile.
struct tile {
  index first_row, first;  // first: for images, from their data
  int rows, lines, length, pad;
};
template <class T>
HONE_HD tile tile_at(matrix_view<T>, tile_plan const& plan, index i) {
  const index first = i * plan.rows, left = plan.all_rows - first;
  const int rows = static_cast<int>(left < plan.rows ? left : plan.rows);
  if (plan.one_line) return {first, 0, rows, 1, rows * plan.columns, plan.stride - plan.columns};
  return {first, 0, rows, rows, plan.columns, 0};
}
template <class T>
HONE_HD tile tile_at(image_view<T> v, tile_plan const& plan, index i) {
  const index image = plan.tiles_per_image.quotient(i), pixel = (i - image * plan.tiles_per_image.by) * plan.rows;
  const index left = v.pixels - pixel;
  const int rows = static_cast<int>(left < plan.rows ? left : plan.rows);
  return {image * v.pixels + pixel, image * v.channels * v.pixels + pixel, rows, plan.columns, rows, 0};
}
template <class T>
HONE_HD T* line_at(matrix_view<T> v, tile const& t, int line) {
  return v.data + (t.first_row + line) * v.row_stride;
}
template <class T>
HONE_HD T* line_at(image_view<T> v, tile const& t, int line) {
  return v.data + t.first + line * v.pixels;
}

/// Whether N numbers are a multiple of 16 bytes.
template <class A, int N>
inline constexpr bool is_in_words = N * sizeof(A) % sizeof(uint4) == 0;
/// Moves them 16 bytes at a time.
template <int N, class A>
__device__ void copy_words(A const* from, A* to) {
#pragma unroll
  for (int k = 0; k < int(N * sizeof(A) / sizeof(uint4)); ++k)
    reinterpret_cast<uint4*>(to)[k] = reinterpret_cast<uint4 const*>(from)[k];
}

/// N numbers of a line in global memory, and their place in shared memory.
template <class T>
struct tile_piece {
  T* at;
  int place;
};

/// Calls body(count, piece) once: piece(i) is the i-th of the pieces of N numbers in the columns [begin, end) of all
/// lines. One line has code of its own, without the address of each line.
template <int N, class View, class Body>
__device__ void with_pieces(View view, tile const& t, tile_plan const& plan, int begin, int end, Body const& body) {
  using T = std::remove_pointer_t<decltype(view.data)>;
  const int of_line = (end - begin) / N;
  if (t.lines == 1) {
    T* const first = line_at(view, t, 0);
    body(of_line, [&](int i) { return tile_piece<T>{first + begin + i * N, begin + i * N}; });
  } else {
    body(of_line * t.lines, [&](int i) {
      const int line = of_line == 1 ? i : i / of_line, column = begin + (i - line * of_line) * N;
      return tile_piece<T>{line_at(view, t, line) + column, line * plan.stride + column};
    });
  }
}
/// Calls body(j, place) for the groups of a piece: the numbers from j on that are adjacent in shared memory.
template <int N, class Body>
__device__ void each_group(tile const& t, tile_plan const& plan, int place, Body const& body) {
#pragma unroll
  for (int j = 0; j < N; j += tile_group)
    body(j, place + j + (t.pad ? plan.by_columns.quotient(place + j) * t.pad : 0));
}

template <int N, class View, class A>
__device__ void read_pieces(View view, tile const& t, tile_plan const& plan, int begin, int end, A* to) {
  using T = std::remove_const_t<std::remove_pointer_t<decltype(view.data)>>;
  constexpr int at_once = 4;  // requested before the first is used
  with_pieces<N>(view, t, plan, begin, end, [&](int count, auto const& piece) {
    for (int i = static_cast<int>(threadIdx.x); i < count; i += at_once * plan.rows) {
      vector<T, N> numbers[at_once];
      int places[at_once];
#pragma unroll
      for (int k = 0; k < at_once; ++k) {
        if (i + k * plan.rows >= count) break;
        const auto p = piece(i + k * plan.rows);
        numbers[k] = *reinterpret_cast<vector<T, N> const*>(p.at), places[k] = p.place;
      }
#pragma unroll
      for (int k = 0; k < at_once; ++k) {
        if (i + k * plan.rows >= count) break;
        alignas(sizeof(uint4)) A x[N];
#pragma unroll
        for (int j = 0; j < N; ++j) x[j] = static_cast<A>(numbers[k].get(j));
        if (is_in_words<A, N> && plan.packed)
          copy_words<N>(x, to + places[k]);
        else
          each_group<N>(t, plan, places[k], [&](int j, int place) {
#pragma unroll
            for (int m = 0; m < tile_group && j + m < N; ++m) to[place + m] = x[j + m];
          });
      }
    }
  });
}
template <int N, class View, class A>
__device__ void write_pieces(A const* from, tile const& t, tile_plan const& plan, int begin, int end, View view) {
  using T = std::remove_pointer_t<decltype(view.data)>;
  with_pieces<N>(view, t, plan, begin, end, [&](int count, auto const& piece) {
    for (int i = static_cast<int>(threadIdx.x); i < count; i += plan.rows) {
      const auto p = piece(i);
      alignas(sizeof(uint4)) A x[N];
      if (is_in_words<A, N> && plan.packed)
        copy_words<N>(from + p.place, x);
      else
        each_group<N>(t, plan, p.place, [&](int j, int place) {
#pragma unroll
          for (int m = 0; m < tile_group && j + m < N; ++m) x[j + m] = from[place + m];
        });
      *reinterpret_cast<vector<T, N>*>(p.at) = narrowed_vector<T>(x);
    }
  });
}

/// Moves the vectors of N numbers of every line if the tile is wide, and the others one by one.
template <int N, class View, class A>
__device__ void read_tile(View view, tile const& t, tile_plan const& plan, A* to) {
  const int whole = plan.wide ? t.length / N * N : 0;
  read_pieces<N>(view, t, plan, 0, whole, to);
  read_pieces<1>(view, t, plan, whole, t.length, to);
}
template <int N, class View, class A>
__device__ void write_tile(A const* from, tile const& t, tile_plan const& plan, View view) {
  const int whole = plan.wide ? t.length / N * N : 0;
  write_pieces<N>(from, t, plan, 0, whole, view);
  write_pieces<1>(from, t, plan, whole, t.length, view);
}

/// One thread's row of a tile; the gradient overwrites the logits.
template <class A>
class tile_row {
 public:
  static constexpr bool resident = true;

  __device__ tile_row(A* at, int step, int view_step, int columns)
      : at_(at), step_(step), view_step_(view_step), columns_(columns) {}

  struct element {
    A const* at;
    int view_step, column;

    __device__ static constexpr bool is_in_row() { return true; }
    template <int I>
    __device__ A number() const {
      return at[I * view_step];
    }
  };

  __device__ void begin(index) const {}
  template <class Body>
  __device__ void sweep(Body const& body) const {
    body();
  }
  template <class Body>
  __device__ void each(Body const& body) const {
#pragma unroll 4
    for (int c = 0; c < columns_; ++c) body(element{at_ + c * step_, view_step_, c});
  }
  __device__ A logit_at(int column) const { return at_[column * step_]; }
  template <class Body>
  __device__ void write(Body const& body) const {
#pragma unroll 4
    for (int c = 0; c < columns_; ++c) at_[c * step_] = static_cast<A>(body(element{at_ + c * step_, view_step_, c}));
  }
  __device__ static constexpr bool owns(int) { return true; }
  __device__ void put(int column, A value) const { at_[column * step_] = value; }
  __device__ void clear(index) const {
    for (int c = 0; c < columns_; ++c) at_[c * step_] = A(0);
  }

 private:
  A* at_;
  int step_, view_step_, columns_;
};

}  // namespace hone::inline HONE_ABI::on_cuda

#include <hone/core/macros_pop.hpp>
