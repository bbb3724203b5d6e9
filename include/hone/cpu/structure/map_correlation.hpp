// SPDX-License-Identifier: MIT
/// The correlation of a few maps, numbers per pixel, with one kernel: the convolution of spatial attention, from two
/// maps to one, and back. Every number is one sum in the order of the taps.
#pragma once

#include <hone/core/view.hpp>
#include <hone/cpu/run/backend.hpp>
#include <hone/cpu/simd/math.hpp>
#include <hone/structure/average_pool.hpp>

#include <algorithm>

#include <hone/core/macros_push.hpp>

namespace hone::inline HONE_ABI::on_cpu {

/// Maps of height x width, `step` numbers apart, and a square kernel of odd side for each; flipped: the taps are taken
/// from the last to the first.
template <class A>
struct map_correlation {
  plane_size size;
  index maps, step, side;
  bool flipped;

  index padded() const noexcept { return size.width + side - 1 + pack<A>::size; }
  std::size_t bytes() const noexcept { return arena::room_for<A>(std::size_t(maps * side * padded())); }
  /// Copies the rows that row i of the result reads to a strip, with zeros around.
  void gather(A const* from, index i, A* to) const noexcept {
    for (index m = 0; m < maps; ++m)
      for (index y = i - side / 2; y <= i + side / 2; ++y, to += padded()) {
        std::fill_n(to, padded(), A(0));
        if (y >= 0 && y < size.height) std::copy_n(from + m * step + y * size.width, size.width, to + side / 2);
      }
  }
  /// Writes row i of the result: bias + Σ over maps and taps.
  void row(A const* from, A const* kernel, A bias, index i, A* out, A* strip) const noexcept {
    using V = pack<A>;
    gather(from, i, strip);
    const index area = side * side;
    for (index j = 0; j < size.width; j += V::size) {
      V sum(bias);
      for (index m = 0; m < maps; ++m)
        for (index tap = 0; tap < area; ++tap) {
          A const* const line = strip + (m * side + tap / side) * padded() + tap % side;
          sum = fma(V(kernel[m * area + (flipped ? area - 1 - tap : tap)]), V::load(line + j), sum);
        }
      if (j + V::size <= size.width) {
        sum.store(out + j);
      } else {
        A lanes[std::size_t(V::size)];
        sum.store(lanes);
        std::copy_n(lanes, size.width - j, out + j);
      }
    }
  }
};

/// Calls body(image, row, strip) for the rows of the maps of images [begin, end).
template <class A, class Body>
void for_map_rows(cpu const& backend, map_correlation<A> const& of, index begin, index end, Body const& body) {
  const index each = std::max<index>(512 / of.size.width, 1), groups = (of.size.height + each - 1) / each;
  for_chunks(backend, (end - begin) * groups, of.bytes(), [&](index chunk, std::byte* memory) {
    const index image = begin + chunk / groups, from = chunk % groups * each;
    for (index i = from; i < std::min(from + each, of.size.height); ++i) body(image, i, reinterpret_cast<A*>(memory));
  });
}

/// Returns Σ a b over n numbers.
template <class A>
double dot(A const* a, A const* b, index n) noexcept {
  using V = pack<A>;
  V sums(0);
  index i = 0;
  for (; i + V::size <= n; i += V::size) sums = fma(V::load(a + i), V::load(b + i), sums);
  auto total = static_cast<double>(sum(sums));
  for (; i < n; ++i) total += static_cast<double>(a[i]) * static_cast<double>(b[i]);
  return total;
}

/// Writes the gradient by the kernel: of each tap Σ over images and pixels of dout times the number it reads of `from`,
/// images x 2 x pixels.
template <class A>
void correlation_gradient(cpu const& backend, plane_size size, index side, image_view<A> from, matrix_view<A> dout,
                          A* dkernel) {
  const index area = side * side, half = side / 2;
  for_chunks(backend, 2 * area, 0, [&](index tap, std::byte*) {
    const index down = tap % area / side - half, right = tap % side - half;
    const index first = std::max<index>(0, -right), n = size.width - std::abs(right);
    double total = 0;
    for (index image = 0; n > 0 && image < from.images; ++image) {
      A const* const map = from.data + (2 * image + tap / area) * from.pixels;
      for (index i = std::max<index>(0, -down); i < std::min(size.height, size.height - down); ++i)
        total += dot(dout.row(image) + i * size.width + first, map + (i + down) * size.width + first + right, n);
    }
    dkernel[tap] = static_cast<A>(total);
  });
}

}  // namespace hone::inline HONE_ABI::on_cpu

#include <hone/core/macros_pop.hpp>
