// SPDX-License-Identifier: MIT
/// The kernels of a scale and shift per channel: a team of threads per plane, or a block per 32 columns of some rows.
#pragma once

#include <hone/core/narrowed.hpp>
#include <hone/cuda/run/backend.cuh>
#include <hone/cuda/simd/device_float.cuh>
#include <hone/cuda/structure/plane_team.cuh>
#include <hone/structure/channel_scale.hpp>

#include <algorithm>
#include <type_traits>

#include <hone/core/macros_push.hpp>

namespace hone::inline HONE_ABI::on_cuda {

/// A matrix of an argument; of images the stride is not used.
template <class T>
struct channel_view {
  T* data = nullptr;
  index stride = 0;
};
template <class T>
channel_view<T> view_of(image_view<T> v) {
  return {v.data, 0};
}
template <class T>
channel_view<T> view_of(matrix_view<T> v) {
  return {v.data, v.row_stride};
}

/// What a kernel reads and writes; residual, y, dx, dresidual and the sums may be null. The sums are Σ (x - centre) g
/// and Σ g per part and channel.
template <class T>
struct channel_arguments {
  channel_view<const T> x, residual, dy{};
  channel_view<T> y{}, dx{}, dresidual{};
  double* sums = nullptr;
};
template <class T, class View, class Out, class Options>
channel_arguments<T> forward_arguments(View x, Out y, Options const& options) {
  return {.x = view_of(x), .residual = view_of(options.residual), .y = view_of(y)};
}
template <class T, class View, class Out, class Options>
channel_arguments<T> backward_arguments(View x, View dy, Out dx, Options const& options) {
  return {.x = view_of(x),
          .residual = view_of(options.residual),
          .dy = view_of(dy),
          .dx = view_of(dx),
          .dresidual = view_of(options.dresidual)};
}

/// The numbers of a channel for one element. Places are at(view): of a plane the same for all views.
template <class F, class T, class V, class At>
__device__ void scale_channel_number(F const& f, detail::channel_affine<V> const& of, channel_arguments<T> const& all,
                                     At const& at) {
  using A = accumulator_t<T>;
  V u = V(static_cast<A>(all.x.data[at(all.x)])) * of.scale + of.shift;
  if (all.residual.data) u = u + V(static_cast<A>(all.residual.data[at(all.residual)]));
  all.y.data[at(all.y)] = detail::narrowed<T>(static_cast<A>(f(u).value));
}
template <class F, class T, class V, class At>
__device__ void scale_channel_number_backward(F const& f, detail::channel_affine<V> const& of,
                                              channel_arguments<T> const& all, At const& at, V& products, V& total) {
  using A = accumulator_t<T>;
  const bool needs_x = !std::is_same_v<F, identity_formula> || all.sums;
  const V x(needs_x ? static_cast<A>(all.x.data[at(all.x)]) : A(0));
  V g(static_cast<A>(all.dy.data[at(all.dy)]));
  if constexpr (!std::is_same_v<F, identity_formula>) {
    V u = x * of.scale + of.shift;
    if (all.residual.data) u = u + V(static_cast<A>(all.residual.data[at(all.residual)]));
    g = gradient_through(f, u, g);
  }
  if (all.dx.data) all.dx.data[at(all.dx)] = detail::narrowed<T>(static_cast<A>(g * of.scale));
  if (all.dresidual.data) all.dresidual.data[at(all.dresidual)] = detail::narrowed<T>(static_cast<A>(g));
  products = products + (x - of.centre) * g;
  total = total + g;
}

template <int Size, bool Backward, class F, class T>
__global__ void __launch_bounds__(block_threads, 1)
    channel_planes_kernel(F const f, detail::channel_parameters<accumulator_t<T>> const of,
                          channel_arguments<T> const all, index const planes, index const pixels,
                          divider const channels) {
  using team = plane_team<Size>;
  using V = operand_of<accumulator_t<T>>;
  for (index p = team::first(); p < planes; p += team::step()) {
    const detail::channel_affine<V> one = of.template at<V>(p - channels.quotient(p) * channels.by);
    V products(0), total(0);
    for (index i = p * pixels + team::rank(); i < (p + 1) * pixels; i += Size) {
      const auto at = [&](auto const&) { return i; };
      if constexpr (Backward)
        scale_channel_number_backward(f, one, all, at, products, total);
      else
        scale_channel_number(f, one, all, at);
    }
    if constexpr (Backward) {
      if (!all.sums) continue;
      const double sum = team::joined(joins_sums(), static_cast<double>(products));
      const double sum_of_g = team::joined(joins_sums(), static_cast<double>(total));
      if (team::rank() == 0) all.sums[2 * p] = sum, all.sums[2 * p + 1] = sum_of_g;
    }
  }
}

/// Rows are cut into parts. A block takes 32 columns of a part, a warp every eighth row of it, a lane a column.
struct channel_rows {
  static constexpr index most = 64;

  index rows, columns, each, parts;
  divider tiles;

  channel_rows() noexcept = default;
  channel_rows(index rows_, index columns_) noexcept
      : rows(rows_),
        columns(columns_),
        each(std::max<index>((rows_ + most - 1) / most, 32)),
        parts((rows_ + each - 1) / each),
        tiles((columns_ + 31) / 32) {}
};

template <bool Backward, class F, class T>
__global__ void __launch_bounds__(block_threads, 1)
    channel_rows_kernel(F const f, detail::channel_parameters<accumulator_t<T>> const of,
                        channel_arguments<T> const all, channel_rows const cut) {
  using V = operand_of<accumulator_t<T>>;
  constexpr int warps = block_threads / 32;
  __shared__ double of_warp[2][warps][32];
  const int lane = static_cast<int>(threadIdx.x) % 32, warp = static_cast<int>(threadIdx.x) / 32;
  for (index job = blockIdx.x; job < cut.parts * cut.tiles.by; job += gridDim.x) {
    const index part = cut.tiles.quotient(job), c = (job - part * cut.tiles.by) * 32 + lane;
    const index end = part * cut.each + cut.each < cut.rows ? part * cut.each + cut.each : cut.rows;
    V products(0), total(0);
    if (c < cut.columns) {
      const detail::channel_affine<V> one = of.template at<V>(c);
      for (index r = part * cut.each + warp; r < end; r += warps) {
        const auto at = [&](auto const& v) { return r * v.stride + c; };
        if constexpr (Backward)
          scale_channel_number_backward(f, one, all, at, products, total);
        else
          scale_channel_number(f, one, all, at);
      }
    }
    if constexpr (Backward) {
      if (!all.sums) continue;
      __syncthreads();  // the sums of the last job may still be read
      of_warp[0][warp][lane] = static_cast<double>(products);
      of_warp[1][warp][lane] = static_cast<double>(total);
      __syncthreads();
      if (warp < 2 && c < cut.columns) {
        double sum = 0;
        for (int w = 0; w < warps; ++w) sum += of_warp[warp][w][lane];
        all.sums[2 * (part * cut.columns + c) + warp] = sum;
      }
    }
  }
}

/// Adds the sums of the parts in order, a channel per thread; by_scale and by_shift may be null.
template <class A>
__global__ void __launch_bounds__(block_threads, 1)
    channel_gradients_kernel(double const* const sums, index const parts, index const channels,
                             detail::channel_parameters<A> const of, A* const by_scale, A* const by_shift) {
  for (index c = index(blockIdx.x) * block_threads + threadIdx.x; c < channels; c += index(gridDim.x) * block_threads) {
    double products = 0, total = 0;
    for (index part = 0; part < parts; ++part) {
      products += sums[2 * (part * channels + c)];
      total += sums[2 * (part * channels + c) + 1];
    }
    const A inverse(of.template at<operand_of<A>>(c).inverse);
    if (by_scale) by_scale[c] = detail::narrowed<A>(products * static_cast<double>(inverse));
    if (by_shift) by_shift[c] = detail::narrowed<A>(total);
  }
}

/// How a call is launched, for images or a matrix.
template <class T>
struct channel_grid;
template <class T>
struct channel_grid<image_view<T>> {
  index images, channels, pixels, parts;

  explicit channel_grid(image_view<T> x) noexcept
      : images(x.images), channels(x.channels), pixels(x.pixels), parts(x.images) {}

  bool empty() const noexcept { return images * channels * pixels == 0; }

  template <bool Backward, class N, class F>
  void launch_kernel(const char* name, cudaStream_t stream, F f, detail::channel_parameters<accumulator_t<N>> const& of,
                     channel_arguments<N> const& all) const {
    launch_planes(name, channel_planes_kernel<32, Backward, F, N>, channel_planes_kernel<block_threads, Backward, F, N>,
                  images * channels, pixels, stream, f, of, all, images * channels, pixels, divider(channels));
  }
};
template <class T>
struct channel_grid<matrix_view<T>> {
  channel_rows cut;
  index parts;

  explicit channel_grid(matrix_view<T> x) noexcept : cut(x.rows, x.columns), parts(cut.parts) {}

  bool empty() const noexcept { return cut.rows * cut.columns == 0; }

  template <bool Backward, class N, class F>
  void launch_kernel(const char* name, cudaStream_t stream, F f, detail::channel_parameters<accumulator_t<N>> const& of,
                     channel_arguments<N> const& all) const {
    launch(name, channel_rows_kernel<Backward, F, N>, {grid_for(parts * cut.tiles.by), block_threads}, stream, f, of,
           all, cut);
  }
};
template <class View>
channel_grid(View) -> channel_grid<View>;

/// The first bytes of a workspace belong to reduce.cuh.
template <class View>
std::size_t channel_workspace_bytes(View x) noexcept {
  return workspace_alignment + 2 * sizeof(double) * std::size_t(channel_grid(x).parts * detail::columns_of(x));
}

}  // namespace hone::inline HONE_ABI::on_cuda

#include <hone/core/macros_pop.hpp>
