// SPDX-License-Identifier: MIT
/// Mixing samples on CUDA: a thread processes a few adjacent features of all rows of a draw, each row followed by its
/// partner, so that the partner's numbers are already in registers for the next row.
#pragma once

#include <hone/cuda/memory/vector.cuh>
#include <hone/cuda/memory/views.cuh>
#include <hone/cuda/run/barrier.cuh>
#include <hone/cuda/samples/draw.cuh>

#include <hone/core/macros_push.hpp>

namespace hone::inline HONE_ABI {
namespace on_cuda {

inline constexpr int blend_tile = 32;   // rows of a draw that a block holds at once
inline constexpr index max_rows = 128;  // of a stretch of one thread; each stretch reads one row more

/// The draw of one row, read once per block.
struct drawn_row {
  index row, partner;
  float lambda;
  int cut, x1, y1, x2, y2;
};

template <class T>
struct blend_job {
  drawn_arrays draw;
  matrix_view<const T> images;
  matrix_view<T> mixed;
  bool boxes;
  int height, width;
  index rows_per_stretch;
  divider columns_of_blocks, pixels, lines;  // blocks side by side, height · width, width
};

template <class T>
__device__ void read_row(blend_job<T> const& job, index place, drawn_row& to) {
  const index i = job.draw.order[place];
  to.row = i, to.partner = job.draw.partner[i], to.lambda = job.draw.lambda[i];
  to.cut = job.boxes ? job.draw.cut[i] : 0;
  if (to.cut == 0) return;
  const pixel_box b = job.draw.boxes[i];
  to.x1 = int(b.x1), to.y1 = int(b.y1), to.x2 = int(b.x2), to.y2 = int(b.y2);
}

/// Reads up to N numbers from memory; numbers past the count are 0.
template <int N, class T>
__device__ vector<T, N> read_some(T const* from, int count) {
  if (count == N) return *reinterpret_cast<vector<T, N> const*>(from);
  vector<T, N> v{};
#pragma unroll
  for (int j = 0; j < N; ++j)
    if (j < count) v.set(j, from[j]);
  return v;
}
template <int N, class T>
__device__ void write_some(vector<T, N> const& v, T* to, int count) {
  if (count == N) return store_vector(v, to);
#pragma unroll
  for (int j = 0; j < N; ++j)
    if (j < count) to[j] = v.get(j);
}

template <int N, class T>
__device__ vector<T, N> blended_vector(vector<T, N> const& own, vector<T, N> const& other, float lambda) {
  vector<T, N> v{};
#pragma unroll
  for (int j = 0; j < N; ++j) {
    if constexpr (!image_number<T>) {
      v.set(j, own.get(j));  // masks are not mixed
    } else if constexpr (sizeof(T) == 1) {
      v.set(j, static_cast<T>(
                   __double2int_rn(detail::blended_bytes(double(own.get(j)), double(other.get(j)), double(lambda)))));
    } else {
      using A = accumulator_t<T>;
      v.set(j, detail::narrowed<T>(detail::blended(static_cast<A>(own.get(j)), static_cast<A>(other.get(j)), A(lambda),
                                                   A(1) - A(lambda))));
    }
  }
  return v;
}

/// Returns own with other inside the box; x and y are the pixel of the first number.
template <int N, class T>
__device__ vector<T, N> pasted_vector(vector<T, N> const& own, vector<T, N> const& other, drawn_row const& at, int x,
                                      int y, int height, int width) {
  vector<T, N> v{};
#pragma unroll
  for (int j = 0; j < N; ++j) {
    const bool inside = at.x1 <= x && x < at.x2 && at.y1 <= y && y < at.y2;
    v.set(j, inside ? other.get(j) : own.get(j));
    if (++x == width) x = 0, y = y + 1 == height ? 0 : y + 1;
  }
  return v;
}

/// The bound of 1 block lets the compiler give a thread as many registers as it needs, instead of spilling.
template <int N, class T>
__global__ void __launch_bounds__(block_threads, 1) blend_kernel(blend_job<T> const job) {
  __shared__ drawn_row tile[blend_tile];
  const index n = job.images.rows, features = job.images.columns;
  const index stretches = (n + job.rows_per_stretch - 1) / job.rows_per_stretch;
  for (index b = blockIdx.x; b < stretches * job.columns_of_blocks.by; b += gridDim.x) {
    const index stretch = job.columns_of_blocks.quotient(b), side = b - stretch * job.columns_of_blocks.by;
    const index first = (side * block_threads + threadIdx.x) * N, left = features - first;
    const int count = left <= 0 ? 0 : left < N ? int(left) : N;
    int x = 0, y = 0;
    if (job.boxes) {
      const index pixel = first - job.pixels.quotient(first) * job.pixels.by;
      y = int(job.lines.quotient(pixel)), x = int(pixel - y * job.lines.by);
    }
    // The row in registers: the partner of the row before. Also the first row of its circle.
    index known = -1, opening = -1;
    vector<T, N> carried{}, opened{};
    const index begin = stretch * job.rows_per_stretch;
    const index end = begin + job.rows_per_stretch < n ? begin + job.rows_per_stretch : n;
    for (index from = begin; from < end; from += blend_tile) {
      block_barrier();  // other threads may still read the tile before
      const int rows = int(end - from < blend_tile ? end - from : blend_tile);
      if (int(threadIdx.x) < rows) read_row(job, from + threadIdx.x, tile[threadIdx.x]);
      __syncthreads();
      if (count == 0) continue;
      for (int k = 0; k < rows; ++k) {
        drawn_row const& at = tile[k];
        if (at.row != known) opening = at.row, opened = carried = read_some<N>(job.images.row(at.row) + first, count);
        const vector<T, N> own = carried;
        if (at.partner == opening)
          carried = opened;
        else if (at.partner != at.row)
          carried = read_some<N>(job.images.row(at.partner) + first, count);
        known = at.partner == opening ? -1 : at.partner;
        if (at.partner == at.row || (at.cut == 0 && at.lambda == 1)) {
          if (job.mixed.data != job.images.data) write_some<N>(own, job.mixed.row(at.row) + first, count);
          continue;
        }
        write_some<N>(at.cut != 0      ? pasted_vector<N>(own, carried, at, x, y, job.height, job.width)
                      : at.lambda == 0 ? carried
                                       : blended_vector<N>(own, carried, at.lambda),
                      job.mixed.row(at.row) + first, count);
      }
    }
  }
}

/// Returns the rows per thread: many, because each stretch reads one more, but few enough to keep a device busy.
constexpr index rows_per_stretch(index rows, index blocks, drawn_shape::following order, bool in_place) noexcept {
  if (in_place && order != drawn_shape::following::pairs) return rows;
  index per = max_rows;
  while (per > 4 && (rows + per - 1) / per * blocks < 512) per /= 2;
  return per;
}

template <int N, class T>
void launch_blend(cuda& backend, device_draw const& drawn, matrix_view<const T> images, matrix_view<T> mixed) {
  const index pieces = (images.columns + N - 1) / N, blocks = (pieces + block_threads - 1) / block_threads;
  const bool boxes = drawn.shape.height > 0;
  const index per = rows_per_stretch(images.rows, blocks, drawn.shape.order, images.data == mixed.data);
  launch("blend: blend_kernel", blend_kernel<N, T>, {grid_for((images.rows + per - 1) / per * blocks), block_threads},
         backend.stream(),
         {drawn.arrays(), images, mixed, boxes, int(drawn.shape.height), int(drawn.shape.width), per, divider(blocks),
          divider(drawn.shape.height * drawn.shape.width), divider(drawn.shape.width)});
}

}  // namespace on_cuda

/// Enqueues hone::blend, as documented for the CPU, with a draw in device memory. Every image is read once if the draw
/// has partners::others or pairs, or was copied from the host. mixed may be the images themselves, except after
/// partners::any, because the host does not know its circles. Integers are copied; if the device has drawn a mixture
/// for a row of integers, which the host does not know, the row stays unchanged.
/// Throws hone::invalid_argument if sizes differ, a view is not valid memory, the views overlap in part, or the draw is
/// empty.
template <class In, class T>
void blend(cuda& backend, device_draw const& drawn, matrix_view<In> images, matrix_view<T> mixed) {
  detail::require_blend_types<T, In, true>();
  const matrix_view<const T> from = images;
  detail::require_blend_views(from, mixed);
  if (!drawn.shape.filled) detail::fail("blend: the draw is empty: hone::draw or hone::copy fills it");
  if (drawn.rows() != from.rows)
    detail::fail("blend: the draw has %jd lambdas for %jd rows", std::intmax_t(drawn.rows()), std::intmax_t(from.rows));
  if (drawn.shape.height > 0) detail::require_channels(from.columns, drawn.shape.height, drawn.shape.width);
  if (!image_number<T> && drawn.shape.height == 0)
    detail::fail("blend: the draw has no boxes, integers are only copied");
  if (from.rows * from.columns == 0) return;
  if (from.data == mixed.data && drawn.shape.order == on_cuda::drawn_shape::following::loose)
    detail::fail_in_place(from.rows);
  const on_cuda::device_of_stream device(backend.placed());
  constexpr int N = on_cuda::wide_of<T>;
  if (on_cuda::lines_aligned<N>(from, false) && on_cuda::lines_aligned<N>(mixed, false))
    on_cuda::launch_blend<N>(backend, drawn, from, mixed);
  else
    on_cuda::launch_blend<1>(backend, drawn, from, mixed);
}

/// The same with a draw in host memory, which is copied for this call only; see hone::copy.
template <class Draw, class In, class T>
  requires requires(Draw const& draw) { draw.partner.data(); }
void blend(cuda& backend, Draw const& draw, matrix_view<In> images, matrix_view<T> mixed) {
  detail::require_blend_types<T, In, requires { draw.boxes; }>();
  detail::require_blend_views(matrix_view<const T>(images), mixed);
  detail::require_draw("blend", draw, images.rows);
  detail::require_only_copies<T>(draw);
  if constexpr (requires { draw.boxes; }) detail::require_channels(images.columns, draw.height, draw.width);
  device_draw drawn(backend, images.rows);
  copy(backend, draw, drawn);
  blend(backend, drawn, images, mixed);
}

}  // namespace hone::inline HONE_ABI

#include <hone/core/macros_pop.hpp>
