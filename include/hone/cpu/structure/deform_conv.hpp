// SPDX-License-Identifier: MIT
/// Deformable convolution on the CPU: the input is copied to padded images with contiguous channels, a few images at a
/// time; then each tile of output pixels gets its columns, part by part, and their product with the weights.
#pragma once

#include <hone/cpu/run/backend.hpp>
#include <hone/cpu/structure/deform_columns.hpp>

#include <type_traits>

#include <hone/core/macros_push.hpp>

namespace hone::inline HONE_ABI {
namespace on_cpu {

inline constexpr std::size_t round_bytes = std::size_t(32) << 20;  // of images copied at a time; at least one image

/// Memory that all threads share.
template <class A>
struct deform_forward_memory {
  channel_part* parts;
  index part_count;
  A *weights, *images;
};

/// The forward pass.
template <class T>
struct deform_forward {
  using A = accumulator_t<T>;

  detail::deform_shape s;
  detail::deform_arguments<T> from;
  matrix_view<const T> bias;
  feature_view<T> output;
  std::size_t most_bytes = round_bytes;
  index most = channels_of_parts(s.taps());
  padded_image image{s.height, s.width};
  index padded_outputs = whole_panels<A>(s.group_outputs());

  index image_numbers() const noexcept { return image.pixels() * s.channels; }
  index images_of_round() const noexcept {
    const index bytes = std::max<index>(image_numbers() * index(sizeof(A)), 1);
    return std::clamp<index>(index(most_bytes) / bytes, 1, std::max<index>(s.images, 1));
  }
  /// Returns where the weights of a part begin: panels of outputs, taps · channels deep.
  index weights_before(channel_part const& part) const noexcept { return padded_outputs * s.taps() * part.begin; }

  void pack_weights(channel_part const& part, A* to) const noexcept {
    const index depth = s.taps() * part.channels();
    std::fill_n(to, padded_outputs * depth, A(0));
    each_weight(s, part, [&](index o, index k, index at) {
      to[panel_place<A>(depth, k, o)] = static_cast<A>(from.weight.data[at]);
    });
  }

  index row_numbers() const noexcept { return row_of<A>(s.taps(), most); }
  std::size_t tile_bytes() const noexcept {
    return arena::room_for<placed_tap<A>>(std::size_t(tile_pixels * s.taps())) +
           arena::room_for<A>(std::size_t(tile_pixels * row_numbers())) +
           arena::room_for<A>(std::size_t(tile_pixels * padded_outputs));
  }

  /// Computes a tile of output image n from its padded image.
  void compute_tile(index n, pixel_tile tile, A const* padded, deform_forward_memory<A> const& shared,
                    std::byte* memory) const noexcept {
    const index taps = s.taps();
    arena room(memory);
    auto* const placed = room.take<placed_tap<A>>(std::size_t(tile_pixels * taps));
    A* const columns = room.take<A>(std::size_t(tile_pixels * row_numbers()));
    A* const sums = room.take<A>(std::size_t(tile_pixels * padded_outputs));
    for (index i = 0; i < shared.part_count; ++i) {
      channel_part const& part = shared.parts[i];
      const index channels = part.channels(), depth = taps * channels, row = row_of<A>(taps, channels);
      if (part.number == 0)
        place_taps(s, from.offsets.plane(n, 2 * taps * part.offset_group),
                   from.mask.data ? from.mask.plane(n, taps * part.offset_group) : nullptr, tile, placed);
      fill_columns(padded + image.pixels() * part.begin, image.row(), channels, placed, taps, tile.count, row, columns);
      A const* const weights = shared.weights + weights_before(part);
      const bool add = part.begin != part.group * s.group_channels();
      for (index o = 0; o < padded_outputs; o += panel_columns<A>)
        multiply_panel(strided_matrix<A>{columns, row, 1}, tile.count, weights + o * depth, panel_columns<A>, depth,
                       sums + o, padded_outputs, add);
      if (part.end == (part.group + 1) * s.group_channels()) write(n, part.group, tile, sums);
    }
  }

  void write(index n, index group, pixel_tile tile, A* sums) const noexcept {
    const index outputs = s.group_outputs(), first = group * outputs;
    if (bias.data)
      for (index p = 0; p < tile.count; ++p)
        for (index o = 0; o < outputs; ++o) sums[p * padded_outputs + o] += static_cast<A>(bias.data[first + o]);
    transpose_numbers<A>(sums, padded_outputs, tile.count, outputs, output.plane(n, first) + tile.begin,
                         s.out_pixels());
  }

  void run(cpu const& backend) const {
    const index round = images_of_round(), tiles = tiles_of(s), parts = count_parts<A>(s, most);
    const auto weight_count = std::size_t(padded_outputs * s.taps() * s.channels),
               image_count = std::size_t(round * image_numbers());
    const scratch<scratch_for::samples> memory(arena::room_for<channel_part>(std::size_t(parts)) +
                                               arena::room_for<A>(weight_count) + arena::room_for<A>(image_count));
    arena room(memory.data());
    const deform_forward_memory<A> shared{room.take<channel_part>(std::size_t(parts)), parts,
                                          room.take<A>(weight_count), room.take<A>(image_count)};
    channel_part* next = shared.parts;
    each_part<A>(s, most, [&](channel_part const& part) { *next++ = part; });
    for_chunks(backend, parts, 0, [&](index i, std::byte*) {
      pack_weights(shared.parts[i], shared.weights + weights_before(shared.parts[i]));
    });
    for (index first = 0; first < s.images; first += round) {
      const index images = std::min(round, s.images - first);
      for_chunks(backend, images * parts, 0, [&](index i, std::byte*) {
        channel_part const& part = shared.parts[i % parts];
        pad_planes(from.input.plane(first + i / parts, part.begin), image, part.channels(),
                   shared.images + i / parts * image_numbers() + image.pixels() * part.begin);
      });
      for_chunks(backend, images * tiles, tile_bytes(), [&](index i, std::byte* of_tile) {
        compute_tile(first + i / tiles, tile_at(s, i % tiles), shared.images + i / tiles * image_numbers(), shared,
                     of_tile);
      });
    }
  }
};

}  // namespace on_cpu

/// Sets output to the deformable convolution (structure/deform_conv.hpp) of the input with the weight.
///   input    N × C × H × W       weight  O × C/groups × kernel height × kernel width      bias  1 × O, or {}
///   offsets  N × (2 · offset_groups · taps) × Ho × Wo: y, then x, of tap 0, of tap 1, …, in pixels
///   mask     N × (offset_groups · taps) × Ho × Wo, after its sigmoid; {} for v1
///   output   N × O × Ho × Wo, with Ho and Wo of conv_extent; must not overlap anything else
/// All of one type, but offsets and mask, which are float or double: the accumulator of that type. A tap reads the four
/// pixels around it, also those with weight 0. An infinite offset is outside, a NaN gives NaN. Copies of the padded
/// input (32 MiB of them, or one image) are kept in scratch memory.
///
///     hone::deform_conv2d(cpu, input, offsets, mask, weight, bias, {.padding = 1}, output);
///
/// Throws hone::invalid_argument, before anything is written, if a shape or an option is wrong or views overlap.
template <class T>
void deform_conv2d(cpu const& backend, std::type_identity_t<feature_view<const T>> input,
                   std::type_identity_t<feature_view<const accumulator_t<T>>> offsets,
                   std::type_identity_t<feature_view<const accumulator_t<T>>> mask,
                   std::type_identity_t<feature_view<const T>> weight, std::type_identity_t<matrix_view<const T>> bias,
                   deform_conv_options const& options, feature_view<T> output) {
  const detail::deform_arguments<T> from{input, offsets, mask, weight};
  const detail::deform_shape shape = detail::require_forward(from, bias, options, output);
  on_cpu::deform_forward<T>{shape, from, bias, output}.run(backend);
}

}  // namespace hone::inline HONE_ABI

#include <hone/core/macros_pop.hpp>
