// SPDX-License-Identifier: MIT
/// Drop block on the CPU: the draw of a mask, and its application.
#pragma once

#include <hone/core/narrowed.hpp>
#include <hone/cpu/structure/plane_cut.hpp>
#include <hone/structure/drop_block.hpp>

#include <algorithm>
#include <type_traits>

#include <hone/core/macros_push.hpp>

namespace hone::inline HONE_ABI {
namespace on_cpu {

/// Writes the mask of a plane, 1 for what is kept, and returns the number of these.
inline index draw_plane(detail::block_draws const& draws, plane_size size, plane_size block,
                        std::uint8_t* mask) noexcept {
  const index rows = size.height - block.height + 1, columns = size.width - block.width + 1;
  std::fill_n(mask, size.height * size.width, std::uint8_t(1));
  for (index i = 0; i < rows; ++i)
    for (index j = 0; j < columns;) {
      const index position = i * size.width + j, group = position / 4;
      const detail::philox_block words = draws.words(static_cast<std::uint32_t>(group));
      const index next = std::min(columns, j + 4 - position % 4);
      for (index k = position % 4; j < next; ++k, ++j)
        if (draws.begins(words.at[k]))
          for (index h = i; h < i + block.height; ++h)
            std::fill_n(mask + h * size.width + j, block.width, std::uint8_t(0));
    }
  index kept = 0;
  for (index p = 0; p < size.height * size.width; ++p) kept += mask[p];
  return kept;
}

}  // namespace on_cpu

/// Draws the mask of a batch of planes of `size`: mask is samples x channels x pixels, 1 for numbers that are kept and
/// 0 for others, with the channels of x, or one if policy.shared. Writes the factor of every sample: all its numbers
/// over those kept, 0 if none is; 1 without scale_by_kept.
///
///     hone::draw_blocks(cpu, policy, seed, step, layer, {56, 56}, mask, factors);
///     hone::drop_blocks(cpu, x, mask, factors, y);
///
/// A pure function of its arguments: a plane's mask does not depend on other planes. Layers with different `branch`,
/// below 2^24, do not share draws. Throws hone::invalid_argument, and writes nothing, if one is out of range, a shape
/// does not fit or memory overlaps.
template <class A>
void draw_blocks(cpu const& backend, drop_block const& policy, integer seed, integer step, integer branch,
                 plane_size size, image_view<std::uint8_t> mask, std::span<A> factors) {
  static_assert(std::is_floating_point_v<A>, "draw_blocks: the factors are float or double");
  detail::require_draw_blocks(policy, branch, size, mask, factors);
  const plane_size block = policy.block(size);
  const detail::random_bits bits(seed, step);
  const std::uint64_t below = detail::threshold_of(policy.gamma(size));
  const index planes = mask.images * mask.channels;
  const on_cpu::scratch<on_cpu::scratch_for::channels> memory(on_cpu::arena::room_for<index>(std::size_t(planes)));
  auto* const kept = reinterpret_cast<index*>(memory.data());
  on_cpu::for_planes(backend, on_cpu::plane_cut(mask), 0, [&](index begin, index end, std::byte*) {
    for (index p = begin; p < end; ++p) {
      std::uint8_t* const plane = mask.data + p * mask.pixels;
      const index image = p / mask.channels, channel = p % mask.channels;
      if (below >> 32 != 0) {
        std::fill_n(plane, mask.pixels, std::uint8_t(0));
        kept[p] = 0;
      } else {
        kept[p] = on_cpu::draw_plane(detail::block_draws(bits, branch, image, channel, below), size, block, plane);
      }
    }
  });
  const auto all = static_cast<double>(mask.channels * mask.pixels);
  for (index image = 0; image < mask.images; ++image) {
    index left = 0;
    for (index c = 0; c < mask.channels; ++c) left += kept[image * mask.channels + c];
    factors[std::size_t(image)] =
        policy.scale_by_kept ? (left > 0 ? static_cast<A>(all / static_cast<double>(left)) : A(0)) : A(1);
  }
}

/// Writes y = x · the factor of its sample where the mask is not 0, and 0 elsewhere, whatever x is. The mask has the
/// channels of x, or one. y may be x. The backward pass is the same call with dy for x and dx for y. Throws
/// hone::invalid_argument, and writes nothing, if a shape does not fit or memory overlaps otherwise.
template <class T>
void drop_blocks(cpu const& backend, std::type_identity_t<image_view<const T>> x, image_view<const std::uint8_t> mask,
                 std::type_identity_t<std::span<const accumulator_t<T>>> factors, image_view<T> y) {
  using A = accumulator_t<T>;
  static_assert(element<T>, "drop_blocks: y must be of float, double or a 16-bit type");
  detail::require_drop_blocks<T, A>(x, mask, factors, y);
  on_cpu::for_planes(backend, on_cpu::plane_cut(x), 0, [&](index begin, index end, std::byte*) {
    for (index p = begin; p < end; ++p) {
      const index image = p / x.channels, channel = mask.channels == 1 ? 0 : p % x.channels;
      const A factor = factors[std::size_t(image)];
      T const* const from = x.data + p * x.pixels;
      T* const to = y.data + p * x.pixels;
      std::uint8_t const* const kept = mask.data + (image * mask.channels + channel) * mask.pixels;
      HONE_INDEPENDENT
      for (index i = 0; i < x.pixels; ++i)
        to[i] = kept[i] != 0 ? detail::narrowed<T>(static_cast<A>(from[i]) * factor) : T(0.0f);
    }
  });
}

}  // namespace hone::inline HONE_ABI

#include <hone/core/macros_pop.hpp>
