// SPDX-License-Identifier: MIT
/// Tiles of short rows: a block moves them through shared memory in the order of global memory, 16 bytes at a time, and
/// each thread evaluates one row. Pixels of images are moved in the same way, class by class.
#pragma once

#include <hone/cuda/memory/views.cuh>
#include <hone/cuda/run/launch.hpp>

#include <hone/core/macros_push.hpp>

namespace hone::inline HONE_ABI::on_cuda {

/// How a grid cuts a prediction into tiles. A line is adjacent in memory: a plane of a tile's pixels, a row, or a
/// complete tile of rows without gaps.
struct tile_plan {
  int rows;  // of a tile: the number of threads of a block
  int columns;
  int stride;  // in shared memory, between rows or between planes
  bool one_line;
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

/// The positions of a tile's numbers in shared memory, one after the other; there may be a gap after each row.
struct tile_walk {
  int place, left, columns;

  __device__ void advance() {
    ++place;
    if (--left == 0) left = columns, ++place;
  }
};

/// Calls body(line, first number in it, count, position in shared memory) for each piece of this thread; count <= N.
template <int N, class Body>
__device__ void each_piece(tile const& t, tile_plan const& plan, Body const& body) {
  const int pieces = (t.length + N - 1) / N;
  for (int i = static_cast<int>(threadIdx.x), line = 0; i < t.lines * pieces; i += plan.rows) {
    if (t.lines > 1) line = pieces == 1 ? i : i / pieces;
    const int from = (i - line * pieces) * N, count = t.length - from < N ? t.length - from : N;
    const int row = t.pad ? plan.by_columns.quotient(from) : 0;
    const int left = t.pad ? (row + 1) * plan.columns - from : t.length + 1;  // an end of a row that is never reached
    body(line, from, count, tile_walk{line * plan.stride + from + row, left, plan.columns});
  }
}

template <int N, class View, class A>
__device__ void read_tile(View view, tile const& t, tile_plan const& plan, A* to) {
  each_piece<N>(t, plan, [&](int line, int from, int count, tile_walk at) {
    A x[N] = {};
    load(line_at(view, t, line) + from, x, count);
#pragma unroll
    for (int j = 0; j < N; ++j, at.advance())
      if (j < count) to[at.place] = x[j];
  });
}
template <int N, class View, class A>
__device__ void write_tile(A const* from, tile const& t, tile_plan const& plan, View view) {
  each_piece<N>(t, plan, [&](int line, int first, int count, tile_walk at) {
    A x[N] = {};
#pragma unroll
    for (int j = 0; j < N; ++j, at.advance())
      if (j < count) x[j] = from[at.place];
    store(x, line_at(view, t, line) + first, count);
  });
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
#pragma unroll 2
    for (int c = 0; c < columns_; ++c) body(element{at_ + c * step_, view_step_, c});
  }
  __device__ A logit_at(int column) const { return at_[column * step_]; }
  template <class Body>
  __device__ void write(Body const& body) const {
#pragma unroll 2
    for (int c = 0; c < columns_; ++c) at_[c * step_] = static_cast<A>(body(element{at_ + c * step_, view_step_, c}));
  }
  __device__ void clear(index) const {
    for (int c = 0; c < columns_; ++c) at_[c * step_] = A(0);
  }

 private:
  A* at_;
  int step_, view_step_, columns_;
};

}  // namespace hone::inline HONE_ABI::on_cuda

#include <hone/core/macros_pop.hpp>
