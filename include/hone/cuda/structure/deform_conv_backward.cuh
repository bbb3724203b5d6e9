// SPDX-License-Identifier: MIT
/// The gradients of deformable convolution on CUDA.
#pragma once

#include <hone/cuda/run/backend.cuh>
#include <hone/cuda/structure/deform_column_gradients.cuh>
#include <hone/cuda/structure/deform_weight_gradients.cuh>

#include <algorithm>
#include <cstddef>
#include <type_traits>

#include <hone/core/macros_push.hpp>

namespace hone::inline HONE_ABI {
namespace on_cuda {

inline constexpr index most_column_bytes = index(64) << 20;  // of a round; at least one image

/// The workspace of a backward pass: sums of slabs, then, in the same place, a round's columns and row ranges.
template <class T>
struct deform_workspace {
  using A = accumulator_t<T>;

  deform_weight_cut cut;
  index images_of_round, columns, ranges;

  deform_workspace(detail::deform_shape const& s, index column_bytes) noexcept : cut(s) {
    const index of_image = s.out_pixels() * s.taps() * s.channels;
    images_of_round = std::clamp<index>(column_bytes / (of_image * index(sizeof(A))), 1, std::max<index>(s.images, 1));
    columns = images_of_round * of_image;
    ranges = images_of_round * s.offset_groups() * deform_input_cut(s, 1).batches;
  }

  static constexpr std::size_t begin = workspace_alignment;  // the first bytes belong to reduce.cuh
  std::size_t range_begin() const noexcept { return aligned_bytes(begin + std::size_t(columns) * sizeof(A)); }
  std::size_t bytes(bool to_columns, bool to_weight) const noexcept {
    const std::size_t of_columns = to_columns ? range_begin() + std::size_t(ranges) * sizeof(row_range) : 0;
    const std::size_t of_weight = to_weight ? begin + std::size_t(cut.slabs.by * cut.numbers) * sizeof(A) : 0;
    return std::max(of_columns, of_weight);
  }
};

template <class T>
void enqueue_deform_backward(cuda& backend, deform_job<T> const& job, feature_view<const T> gradient,
                             deform_conv_gradients<T> const& to, index column_bytes = most_column_bytes) {
  using A = accumulator_t<T>;
  detail::deform_shape const& s = job.s;
  const bool to_taps = to.offsets.data || to.mask.data, to_input = to.input.data != nullptr;
  const deform_workspace<T> memory(s, column_bytes);
  backend.reserve(memory.bytes(to_taps || to_input, to.weight.data != nullptr));
  auto* const bytes = static_cast<std::byte*>(backend.workspace());
  auto* const numbers = reinterpret_cast<A*>(bytes + memory.begin);
  const cudaStream_t stream = backend.stream();
  if (to.weight.data) {
    launch("deform_conv2d_backward: deform_weight_kernel", deform_weight_kernel<T>,
           {grid_for(memory.cut.tiles), block_threads}, stream, job, gradient, numbers, memory.cut);
    launch("deform_conv2d_backward: deform_add_slabs_kernel", deform_add_slabs_kernel<T>,
           {blocks_for(memory.cut.numbers), block_threads}, stream, numbers, memory.cut.slabs.by, memory.cut.numbers,
           to.weight.data);
  }
  if (to.bias.data)
    launch("deform_conv2d_backward: deform_bias_kernel", deform_bias_kernel<T>, {grid_for(s.outputs), block_threads},
           stream, gradient, job.out_pixels, to.bias.data);
  if (!to_taps && !to_input) return;
  auto* const ranges = reinterpret_cast<row_range*>(bytes + memory.range_begin());
  for (index first = 0; first < s.images; first += memory.images_of_round) {
    const deform_round<A> round{first, std::min(memory.images_of_round, s.images - first), numbers};
    const deform_column_cut columns(s, round.images);
    launch("deform_conv2d_backward: deform_columns_kernel", deform_columns_kernel<T>,
           {grid_for(columns.tiles), block_threads}, stream, job, gradient, round, columns);
    if (to_taps)
      launch("deform_conv2d_backward: deform_offsets_kernel", deform_offsets_kernel<T>,
             {blocks_for(round.images * s.offset_groups() * s.taps() * s.out_pixels()), block_threads}, stream, job,
             round, to.offsets.data, to.mask.data);
    if (!to_input) continue;
    const deform_input_cut input(s, round.images);
    launch("deform_conv2d_backward: deform_rows_kernel", deform_rows_kernel<T>,
           {grid_for(round.images * s.offset_groups() * input.batches), block_threads}, stream, job, round,
           divider(input.batches), ranges);
    launch("deform_conv2d_backward: deform_input_kernel", deform_input_kernel<T>,
           {grid_for(input.tiles), block_threads}, stream, job, round, ranges, to.input, input);
  }
}

}  // namespace on_cuda

/// Returns the bytes of workspace that deform_conv2d_backward needs for an input and weights of these shapes, with all
/// gradients. Throws hone::invalid_argument if a shape or an option is wrong.
template <class T>
std::size_t deform_conv2d_backward_bytes(feature_view<T> input,
                                         std::type_identity_t<feature_view<const std::remove_const_t<T>>> weight,
                                         deform_conv_options const& options = {}) {
  using number = std::remove_const_t<T>;
  static_assert(element<number>, "deform_conv2d_backward_bytes: input is of float, double, half or bfloat16");
  const detail::deform_shape shape = detail::deform_shape_of("deform_conv2d_backward_bytes", detail::sizes_of(input),
                                                             detail::sizes_of(weight), options);
  return on_cuda::deform_workspace<number>(shape, on_cuda::most_column_bytes).bytes(true, true);
}

/// Enqueues hone::deform_conv2d_backward, as documented for the CPU. No atomics: the same bits in every run. The
/// workspace holds the gradients of the columns of as many images as fit into 64 MiB, at least one.
template <class T>
void deform_conv2d_backward(cuda& backend, feature_view<T> input,
                            std::type_identity_t<feature_view<const accumulator_t<T>>> offsets,
                            std::type_identity_t<feature_view<const accumulator_t<T>>> mask,
                            std::type_identity_t<feature_view<const std::remove_const_t<T>>> weight,
                            deform_conv_options const& options,
                            std::type_identity_t<feature_view<const std::remove_const_t<T>>> output_gradient,
                            deform_conv_gradients<std::remove_const_t<T>> const& gradients) {
  using number = std::remove_const_t<T>;
  const detail::deform_arguments<number> from{input, offsets, mask, weight};
  const detail::deform_shape shape = detail::require_backward(from, options, output_gradient, gradients);
  const on_cuda::device_of_stream device(backend.placed());
  on_cuda::enqueue_deform_backward<number>(backend, {shape, from}, output_gradient, gradients);
}

}  // namespace hone::inline HONE_ABI

#include <hone/core/macros_pop.hpp>
