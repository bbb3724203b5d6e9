// SPDX-License-Identifier: MIT
/// The gradients of deformable convolution on the CPU. A unit of work is a slab of images with a bundle of channel
/// parts: it alone writes the input's gradient there, tap by tap in order, and its sums of the weights are added to
/// those of the other slabs in order.
#pragma once

#include <hone/cpu/run/backend.hpp>
#include <hone/cpu/structure/deform_columns.hpp>

#include <type_traits>

#include <hone/core/macros_push.hpp>

namespace hone::inline HONE_ABI {
namespace on_cpu {

inline constexpr index wanted_units = 16;                         // of work, for the threads
inline constexpr std::size_t slab_bytes = std::size_t(64) << 20;  // of sums of weights, all slabs together

/// Memory that all threads share; null: not needed.
template <class A>
struct deform_backward_memory {
  channel_part* parts = nullptr;
  A *weights = nullptr, *weight_sums = nullptr, *more_offsets = nullptr;
};

/// Memory of one unit; null: not needed.
template <class A>
struct deform_unit_memory {
  placed_tap<A>* taps;
  A *columns, *column_gradients, *output_gradient, *image, *image_gradient;
};

/// The backward pass.
template <class T>
struct deform_backward {
  using A = accumulator_t<T>;

  detail::deform_shape s;
  detail::deform_arguments<T> from;
  feature_view<const T> output_gradient;
  deform_conv_gradients<T> to;
  std::size_t most_slab_bytes = slab_bytes;
  padded_image image{s.height, s.width};
  bool to_input = to.input.data != nullptr, to_weight = to.weight.data != nullptr,
       to_taps = to.offsets.data != nullptr || to.mask.data != nullptr;

  /// Few images are divided by channels, too: then each part of an offset group has sums of its own for the offsets.
  index image_groups = s.images * s.offset_groups();
  bool split = image_groups < wanted_units;
  index most = split ? smaller_parts() : channels_of_parts(s.taps());
  index parts = count_parts<A>(s, most), row_numbers = row_of<A>(s.taps(), most);
  index parts_of_offsets = count_in_offset_group();
  index all_rows = count_rows();
  index weight_numbers = all_rows * s.group_outputs();
  index slabs = std::clamp<index>(index(most_slab_bytes) / std::max<index>(weight_numbers * index(sizeof(A)), 1), 1,
                                  std::max<index>(s.images, 1));
  index bundles = split ? parts : s.offset_groups();
  index tap_numbers = 3 * s.taps() * s.out_pixels();  // gradients of offsets and mask of an offset group of an image

  index smaller_parts() const noexcept {
    const index pieces = (wanted_units + image_groups - 1) / std::max<index>(image_groups, 1);
    const index channels = (s.offset_channels() + pieces - 1) / pieces;
    return std::clamp<index>((channels + 15) / 16 * 16, 16, channels_of_parts(s.taps()));
  }
  index count_in_offset_group() const {
    index count = 0;
    each_part<A>(s, most, [&](channel_part const& part) { count = std::max(count, part.number + 1); });
    return count;
  }
  index count_rows() const {
    index rows = 0;
    each_part<A>(s, most, [&](channel_part const& p) { rows = p.depths_before + row_of<A>(s.taps(), p.channels()); });
    return rows;
  }

  index numbers_before(channel_part const& part) const noexcept { return part.depths_before * s.group_outputs(); }

  void pack_weights(channel_part const& part, A* to_panels) const noexcept {
    const index outputs = s.group_outputs();
    std::fill_n(to_panels, outputs * row_of<A>(s.taps(), part.channels()), A(0));
    each_weight(s, part, [&](index o, index k, index at) {
      to_panels[panel_place<A>(outputs, o, k)] = static_cast<A>(from.weight.data[at]);
    });
  }

  index image_numbers() const noexcept { return image.pixels() * most; }
  template <class Take>
  deform_unit_memory<A> take_unit(Take const& take) const noexcept {
    const index columns = tile_pixels * row_numbers;
    return {take(placed_tap<A>(), tile_pixels * s.taps()),         take(A(), to_weight ? columns : 0),
            take(A(), to_input || to_taps ? columns : 0),          take(A(), tile_pixels * s.group_outputs()),
            take(A(), to_weight || to_taps ? image_numbers() : 0), take(A(), to_input ? image_numbers() : 0)};
  }
  std::size_t unit_bytes() const noexcept {
    std::size_t bytes = 0;
    take_unit([&]<class X>(X, index count) {
      bytes += arena::room_for<X>(std::size_t(count));
      return static_cast<X*>(nullptr);
    });
    return bytes;
  }

  /// Returns where the gradients of the offsets and the mask of a part of image n go.
  offset_gradients<A> tap_gradients(index n, channel_part const& part, A* more) const noexcept {
    const index taps = s.taps(), g = part.offset_group;
    if (split && part.number > 0) {
      A* const at = more + ((n * s.offset_groups() + g) * (parts_of_offsets - 1) + part.number - 1) * tap_numbers;
      return {to.offsets.data ? at : nullptr, to.mask.data ? at + 2 * taps * s.out_pixels() : nullptr};
    }
    return {to.offsets.data ? to.offsets.plane(n, 2 * taps * g) : nullptr,
            to.mask.data ? to.mask.plane(n, taps * g) : nullptr};
  }

  /// Computes the gradients of one part of image n. `first` says that it is the first image of its slab.
  void compute_part(index n, channel_part const& part, deform_backward_memory<A> const& shared, index slab, bool first,
                    deform_unit_memory<A> const& own) const noexcept {
    const index taps = s.taps(), channels = part.channels(), row = row_of<A>(taps, channels), tiles = tiles_of(s),
                outputs = s.group_outputs(), first_output = part.group * outputs;
    if (to_weight || to_taps) pad_planes(from.input.plane(n, part.begin), image, channels, own.image);
    if (to_input) std::fill_n(own.image_gradient, image.pixels() * channels, A(0));
    for (index t = 0; t < tiles; ++t) {
      const pixel_tile tile = tile_at(s, t);
      place_taps(s, from.offsets.plane(n, 2 * taps * part.offset_group),
                 from.mask.data ? from.mask.plane(n, taps * part.offset_group) : nullptr, tile, own.taps);
      transpose_numbers<A>(output_gradient.plane(n, first_output) + tile.begin, s.out_pixels(), outputs, tile.count,
                           own.output_gradient, outputs);
      if (to_weight) {
        fill_columns(own.image, image.row(), channels, own.taps, taps, tile.count, row, own.columns);
        A* const sums = shared.weight_sums + slab * weight_numbers + numbers_before(part);
        for (index k = 0; k < row; k += panel_columns<A>)
          multiply_panel(strided_matrix<A>{own.output_gradient, 1, outputs}, outputs, own.columns + k, row, tile.count,
                         sums + k, row, !first || t > 0);
      }
      if (!to_input && !to_taps) continue;
      A const* const weights = shared.weights + numbers_before(part);
      for (index k = 0; k < row; k += panel_columns<A>)
        multiply_panel(strided_matrix<A>{own.output_gradient, outputs, 1}, tile.count, weights + k * outputs,
                       panel_columns<A>, outputs, own.column_gradients + k, row, false);
      if (to_taps)
        differentiate_taps(own.column_gradients, row, own.image, image.row(), channels, own.taps, taps, tile,
                           s.out_pixels(), tap_gradients(n, part, shared.more_offsets), !split && part.number > 0);
      if (to_input)
        scatter_columns(own.column_gradients, row, own.taps, taps, tile.count, own.image_gradient, image.row(),
                        channels);
    }
    if (to_input) unpad_planes(own.image_gradient, image, channels, to.input.plane(n, part.begin));
  }

  void compute_unit(index slab, index bundle, deform_backward_memory<A> const& shared,
                    std::byte* memory) const noexcept {
    arena room(memory);
    const deform_unit_memory<A> own =
        take_unit([&]<class X>(X, index count) { return room.take<X>(std::size_t(count)); });
    const index begin = slab * s.images / slabs, end = (slab + 1) * s.images / slabs;
    for (index n = begin; n < end; ++n)
      for (index i = 0; i < parts; ++i)
        if (split ? i == bundle : shared.parts[i].offset_group == bundle)
          compute_part(n, shared.parts[i], shared, slab, n == begin, own);
  }

  void write_weights(channel_part const& part, A const* sums) const noexcept {
    const index row = row_of<A>(s.taps(), part.channels());
    each_weight(s, part, [&](index o, index k, index at) {
      A total = 0;
      for (index slab = 0; slab < slabs; ++slab)
        total += sums[slab * weight_numbers + numbers_before(part) + o * row + k];
      to.weight.data[at] = detail::narrowed<T>(total);
    });
  }

  /// Adds the sums of the other parts to those of the first part of each offset group.
  void add_offsets(index n, index group, A const* more) const noexcept {
    const index offsets = 2 * s.taps() * s.out_pixels();
    const index parts_here = parts_in(group);
    for (index part = 1; part < parts_here; ++part) {
      A const* const sums = more + ((n * s.offset_groups() + group) * (parts_of_offsets - 1) + part - 1) * tap_numbers;
      const auto add = [](A const* x, A* y, index count) {
        for (index i = 0; i < count; ++i) y[i] += x[i];
      };
      if (to.offsets.data) add(sums, to.offsets.plane(n, 2 * s.taps() * group), offsets);
      if (to.mask.data) add(sums + offsets, to.mask.plane(n, s.taps() * group), offsets / 2);
    }
  }
  index parts_in(index group) const {
    index count = 0;
    each_part<A>(s, most, [&](channel_part const& part) { count += part.offset_group == group; });
    return count;
  }

  void write_bias(index o) const noexcept {
    constexpr index block = 1024;
    using V = pack<A>;
    A numbers[block];
    double total = 0;
    for (index n = 0; n < s.images; ++n) {
      T const* const plane = output_gradient.plane(n, o);
      for (index p = 0; p < s.out_pixels(); p += block) {
        const index count = std::min(block, s.out_pixels() - p), full = (count + V::size - 1) / V::size * V::size;
        convert(plane + p, numbers, count);
        std::fill(numbers + count, numbers + full, A(0));
        V sums(0);
        for (index i = 0; i < full; i += V::size) sums += V::load(numbers + i);
        total += static_cast<double>(sum(sums));
      }
    }
    to.bias.data[o] = detail::narrowed<T>(total);
  }

  void run(cpu const& backend) const {
    if (to_input || to_weight || to_taps) run_parts(backend);
    if (to.bias.data) for_chunks(backend, s.outputs, 0, [&](index o, std::byte*) { write_bias(o); });
  }
  void run_parts(cpu const& backend) const {
    const auto weights = std::size_t(to_input || to_taps ? weight_numbers : 0),
               sums = std::size_t(to_weight ? slabs * weight_numbers : 0),
               offsets = std::size_t(to_taps && split ? image_groups * (parts_of_offsets - 1) * tap_numbers : 0);
    const scratch<scratch_for::samples> memory(arena::room_for<channel_part>(std::size_t(parts)) +
                                               arena::room_for<A>(weights) + arena::room_for<A>(sums) +
                                               arena::room_for<A>(offsets));
    arena room(memory.data());
    const deform_backward_memory<A> shared{room.take<channel_part>(std::size_t(parts)), room.take<A>(weights),
                                           room.take<A>(sums), room.take<A>(offsets)};
    channel_part* next = shared.parts;
    each_part<A>(s, most, [&](channel_part const& part) { *next++ = part; });
    if (weights > 0)
      for_chunks(backend, parts, 0, [&](index i, std::byte*) {
        pack_weights(shared.parts[i], shared.weights + numbers_before(shared.parts[i]));
      });
    if (s.images > 0)
      for_chunks(backend, slabs * bundles, unit_bytes(),
                 [&](index i, std::byte* of_unit) { compute_unit(i / bundles, i % bundles, shared, of_unit); });
    else
      std::fill_n(shared.weight_sums, sums, A(0));
    if (to_weight)
      for_chunks(backend, parts, 0, [&](index i, std::byte*) { write_weights(shared.parts[i], shared.weight_sums); });
    if (offsets > 0)
      for_chunks(backend, image_groups, 0, [&](index i, std::byte*) {
        add_offsets(i / s.offset_groups(), i % s.offset_groups(), shared.more_offsets);
      });
  }
};

}  // namespace on_cpu

/// Computes the gradients of deform_conv2d from that of its output. Each member of `gradients` is optional, is
/// overwritten and has the shape of its argument; without mask there is no gradient of it.
///
///     hone::deform_conv2d_backward(cpu, input, offsets, mask, weight, {.padding = 1}, output_gradient,
///                                  {.input = d_input, .offsets = d_offsets, .mask = d_mask, .weight = d_weight,
///                                   .bias = d_bias});
///
/// Sums are in a fixed order. options.border selects the derivative by an offset of a tap on the rim. A tap with a NaN
/// offset has derivatives of NaN, and adds nothing to the input's gradient.
/// Throws hone::invalid_argument, before anything is written, if a shape or an option is wrong or views overlap.
template <class T>
void deform_conv2d_backward(cpu const& backend, feature_view<T> input,
                            std::type_identity_t<feature_view<const accumulator_t<T>>> offsets,
                            std::type_identity_t<feature_view<const accumulator_t<T>>> mask,
                            std::type_identity_t<feature_view<const std::remove_const_t<T>>> weight,
                            deform_conv_options const& options,
                            std::type_identity_t<feature_view<const std::remove_const_t<T>>> output_gradient,
                            deform_conv_gradients<std::remove_const_t<T>> const& gradients) {
  using number = std::remove_const_t<T>;
  const detail::deform_arguments<number> from{input, offsets, mask, weight};
  const detail::deform_shape shape = detail::require_backward(from, options, output_gradient, gradients);
  on_cpu::deform_backward<number>{shape, from, output_gradient, gradients}.run(backend);
}

}  // namespace hone::inline HONE_ABI

#include <hone/core/macros_pop.hpp>
