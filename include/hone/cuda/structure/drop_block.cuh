// SPDX-License-Identifier: MIT
/// Drop block on CUDA: the draw of a mask, three kernels, and its application, one.
#pragma once

#include <hone/core/narrowed.hpp>
#include <hone/cuda/run/backend.cuh>
#include <hone/cuda/structure/plane_team.cuh>
#include <hone/structure/drop_block.hpp>

#include <type_traits>

#include <hone/core/macros_push.hpp>

namespace hone::inline HONE_ABI {
namespace on_cuda {

/// The planes of a mask, the positions at which a block may begin, and the words of a bit per position.
struct block_planes {
  index planes, pixels, words;
  plane_size block;
  int rows, columns, width;  // rows and columns of positions
  divider words_of_plane, channels, line;

  block_planes(image_view<std::uint8_t> mask, plane_size size, plane_size block_)
      : planes(mask.images * mask.channels),
        pixels(mask.pixels),
        words((mask.pixels + 31) / 32),
        block(block_),
        rows(static_cast<int>(size.height - block_.height + 1)),
        columns(static_cast<int>(size.width - block_.width + 1)),
        width(static_cast<int>(size.width)),
        words_of_plane((mask.pixels + 31) / 32),
        channels(mask.channels),
        line(size.width) {}

  std::size_t bytes_of_words() const noexcept { return aligned_bytes(sizeof(unsigned) * std::size_t(planes * words)); }
};

/// Draws the words: bit k of word w is 1 if a block begins at position 32 w + k.
HONE_IF_CALLED
__global__ void __launch_bounds__(block_threads, 1)
    begin_blocks_kernel(detail::random_bits const bits, index const branch, std::uint64_t const below,
                        block_planes const of, unsigned* const begins) {
  for (index n = index(blockIdx.x) * block_threads + threadIdx.x; n < of.planes * of.words;
       n += index(gridDim.x) * block_threads) {
    const index plane = of.words_of_plane.quotient(n), word = n - plane * of.words;
    const index image = of.channels.quotient(plane);
    const detail::block_draws draws(bits, branch, image, plane - image * of.channels.by, below);
    index row = of.line.quotient(32 * word);
    int column = static_cast<int>(32 * word - row * of.width);
    unsigned set = 0;
    for (int group = 0; group < 8; ++group) {
      const detail::philox_block four = draws.words(static_cast<std::uint32_t>(8 * word + group));
#pragma unroll
      for (int k = 0; k < 4; ++k) {
        if (row < of.rows && column < of.columns && draws.begins(four.at[k])) set |= 1U << (4 * group + k);
        if (++column == of.width) column = 0, ++row;
      }
    }
    begins[n] = set;
  }
}

/// Returns whether a bit in [first, last] is set.
__device__ inline bool any_bit(unsigned const* words, index first, index last) {
  for (index w = first / 32; w <= last / 32; ++w) {
    unsigned of = words[w];
    if (w == first / 32) of &= 0xffffffffU << (first % 32);
    if (w == last / 32) of &= 0xffffffffU >> (31 - last % 32);
    if (of != 0) return true;
  }
  return false;
}

/// Writes the mask and counts what is kept of every plane.
template <int Size>
__global__ void __launch_bounds__(block_threads, 1)
    mask_blocks_kernel(block_planes const of, unsigned const* const begins, std::uint8_t* const mask,
                       double* const kept) {
  using team = plane_team<Size>;
  for (index p = team::first(); p < of.planes; p += team::step()) {
    int left = 0;
    for (index i = team::rank(); i < of.pixels; i += Size) {
      const index row = of.line.quotient(i), column = i - row * of.width;
      const index top = row < of.block.height ? 0 : row - of.block.height + 1;
      const index from = column < of.block.width ? 0 : column - of.block.width + 1;
      const index to = column < of.columns ? column : of.columns - 1;
      bool dropped = false;
      for (index h = top; h <= row && h < of.rows && !dropped; ++h)
        dropped = any_bit(begins + p * of.words, h * of.width + from, h * of.width + to);
      mask[p * of.pixels + i] = dropped ? 0 : 1;
      left += dropped ? 0 : 1;
    }
    const double all = team::joined(joins_sums(), static_cast<double>(left));
    if (team::rank() == 0) kept[p] = all;
  }
}

template <class A>
__global__ void __launch_bounds__(block_threads, 1)
    block_factors_kernel(block_planes const of, index const images, bool const scale, double const* const kept,
                         A* const factors) {
  for (index image = index(blockIdx.x) * block_threads + threadIdx.x; image < images;
       image += index(gridDim.x) * block_threads) {
    double left = 0;
    for (index c = 0; c < of.channels.by; ++c) left += kept[image * of.channels.by + c];
    const double all = static_cast<double>(of.channels.by * of.pixels);
    factors[image] = scale ? (left > 0 ? static_cast<A>(all / left) : A(0)) : A(1);
  }
}

template <int Size, class T>
__global__ void __launch_bounds__(block_threads, 1)
    drop_blocks_kernel(image_view<const T> const x, image_view<const std::uint8_t> const mask,
                       accumulator_t<T> const* const factors, T* const y, divider const channels) {
  using team = plane_team<Size>;
  using A = accumulator_t<T>;
  for (index p = team::first(); p < x.images * x.channels; p += team::step()) {
    const index image = channels.quotient(p);
    const A factor = factors[image];
    std::uint8_t const* const kept = mask.data + (mask.channels == 1 ? image : p) * x.pixels;
    for (index i = team::rank(); i < x.pixels; i += Size)
      y[p * x.pixels + i] =
          detail::narrowed<T>(kept[i] != 0 ? static_cast<A>(x.data[p * x.pixels + i]) * factor : A(0));
  }
}

}  // namespace on_cuda

/// Returns the bytes of workspace that draw_blocks needs for a mask of this shape.
inline std::size_t draw_blocks_workspace_bytes(image_view<std::uint8_t> mask) noexcept {
  const on_cuda::block_planes of(mask, {}, {});
  return on_cuda::workspace_alignment + of.bytes_of_words() + sizeof(double) * std::size_t(of.planes);
}

/// Enqueues hone::draw_blocks, as documented for the CPU: the same mask. mask and factors are in device memory.
template <class A>
void draw_blocks(cuda& backend, drop_block const& policy, integer seed, integer step, integer branch, plane_size size,
                 image_view<std::uint8_t> mask, std::span<A> factors) {
  static_assert(std::is_floating_point_v<A>, "draw_blocks: the factors are float or double");
  detail::require_draw_blocks(policy, branch, size, mask, factors);
  if (mask.images == 0) return;
  const on_cuda::block_planes of(mask, size, policy.block(size));
  backend.reserve(draw_blocks_workspace_bytes(mask));
  auto* const memory = on_cuda::workspace_of_kernels(backend);
  auto* const begins = reinterpret_cast<unsigned*>(memory);
  auto* const kept = reinterpret_cast<double*>(memory + of.bytes_of_words());
  const on_cuda::device_of_stream device(backend.placed());
  if (of.planes > 0) {
    on_cuda::launch("draw_blocks: begin_blocks_kernel", on_cuda::begin_blocks_kernel<>,
                    {on_cuda::blocks_for(of.planes * of.words), on_cuda::block_threads}, backend.stream(),
                    detail::random_bits(seed, step), branch.value, detail::threshold_of(policy.gamma(size)), of,
                    begins);
    on_cuda::launch_planes("draw_blocks: mask_blocks_kernel", on_cuda::mask_blocks_kernel<32>,
                           on_cuda::mask_blocks_kernel<on_cuda::block_threads>, of.planes, of.pixels, backend.stream(),
                           of, static_cast<unsigned const*>(begins), mask.data, kept);
  }
  on_cuda::launch("draw_blocks: block_factors_kernel", on_cuda::block_factors_kernel<A>,
                  {on_cuda::blocks_for(mask.images), on_cuda::block_threads}, backend.stream(), of, mask.images,
                  policy.scale_by_kept, static_cast<double const*>(kept), factors.data());
}

/// Enqueues hone::drop_blocks, as documented for the CPU, as one kernel. All memory is on the device.
template <class T>
void drop_blocks(cuda& backend, std::type_identity_t<image_view<const T>> x, image_view<const std::uint8_t> mask,
                 std::type_identity_t<std::span<const accumulator_t<T>>> factors, image_view<T> y) {
  detail::require_drop_blocks<T, accumulator_t<T>>(x, mask, factors, y);
  const index planes = x.images * x.channels;
  if (planes * x.pixels == 0) return;
  const on_cuda::device_of_stream device(backend.placed());
  on_cuda::launch_planes("drop_blocks: drop_blocks_kernel", on_cuda::drop_blocks_kernel<32, T>,
                         on_cuda::drop_blocks_kernel<on_cuda::block_threads, T>, planes, x.pixels, backend.stream(), x,
                         mask, factors.data(), y.data, on_cuda::divider(x.channels));
}

}  // namespace hone::inline HONE_ABI

#include <hone/core/macros_pop.hpp>
