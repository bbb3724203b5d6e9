// SPDX-License-Identifier: MIT
/// The division of work for a grid: arithmetic on sizes only, in 64 bits, tested without a device.
#pragma once

#include <hone/core/config.hpp>
#include <hone/core/number.hpp>

#include <hone/core/macros_push.hpp>

namespace hone::inline HONE_ABI::on_cuda {

inline constexpr int block_threads = 256;
inline constexpr int max_blocks = 2048;  // threads continue past the end of their grid

/// Returns the blocks of a grid for `blocks` blocks of work, at most max_blocks.
constexpr int grid_for(index blocks) noexcept {
  return static_cast<int>(blocks < 1 ? 1 : blocks > max_blocks ? max_blocks : blocks);
}
/// The same for pieces of work, one per thread and iteration.
constexpr int blocks_for(index pieces) noexcept { return grid_for((pieces + block_threads - 1) / block_threads); }

/// Pieces of work, cut into the parts of a sum (cuda/run/reduce.cuh): a thread of a part evaluates the pieces first,
/// first + step, … < pieces. The cut depends on the number of pieces alone. As an argument of a kernel it takes no
/// registers.
struct part_cut {
  index pieces = 0, step = block_threads;
  int parts = 1;

  constexpr part_cut() noexcept = default;
  constexpr explicit part_cut(index pieces_) noexcept
      : pieces(pieces_), step(index(blocks_for(pieces_)) * block_threads), parts(blocks_for(pieces_)) {}

  HONE_HD static constexpr index first(int part, unsigned thread) noexcept {
    return index(part) * block_threads + thread;
  }
};

/// Division of 0 <= i < 2^53 by a number that the host knows. A 64-bit division in a kernel would be a call of a
/// hundred instructions.
struct divider {
  index by = 1;
  double inverse = 1;

  constexpr divider() noexcept = default;
  constexpr explicit divider(index d) noexcept : by(d), inverse(d > 0 ? 1 / static_cast<double>(d) : 0) {}

  HONE_HD constexpr index quotient(index i) const noexcept {
    const index q = static_cast<index>(static_cast<double>(i) * inverse), remainder = i - q * by;
    return remainder < 0 ? q - 1 : remainder >= by ? q + 1 : q;
  }
};

/// Computes i / by for 0 <= i < 2^16, which is enough for tiles, by a product and a shift.
struct small_divider {
  std::uint64_t magic = 0;

  constexpr small_divider() noexcept = default;
  constexpr explicit small_divider(int by) noexcept : magic((std::uint64_t(1) << 32) / unsigned(by) + 1) {}
  HONE_HD constexpr int quotient(int i) const noexcept { return static_cast<int>((unsigned(i) * magic) >> 32); }
};

/// Elements that are read in lines. A line is cut into pieces of `wide` elements; its last piece may be shorter.
struct line_cut {
  index lines = 0, length = 0;
  divider pieces_per_line{};

  constexpr line_cut() noexcept = default;
  constexpr line_cut(index lines_, index length_, int wide) noexcept
      : lines(lines_), length(length_), pieces_per_line((length_ + wide - 1) / wide) {}

  HONE_HD constexpr index pieces() const noexcept { return lines * pieces_per_line.by; }
};

}  // namespace hone::inline HONE_ABI::on_cuda

#include <hone/core/macros_pop.hpp>
