// SPDX-License-Identifier: MIT
/// Which kernel takes rows of which size: arithmetic alone, tested without a device.
#pragma once

#include <hone/core/number.hpp>

#include <hone/core/macros_push.hpp>

namespace hone::inline HONE_ABI::on_cuda {

/// tile         a thread per row, of rows that a block moves through shared memory
/// warp, block, wide_block  a row in the registers of 32, 256 or 512 threads
/// streamed     a row of any length, read twice
enum class row_kernel : unsigned char { tile, warp, block, wide_block, streamed };

inline constexpr int shared_bytes = 48 * 1024 - 512;  // for tiles of a block: what it has without asking, less sums
inline constexpr int register_bytes = 256;            // of a thread, for what it holds of a row
inline constexpr index most_columns = index(1) << 30;

/// The vectors of N numbers, of `bytes` each with all that goes with them, that a thread holds of a row. A wide block's
/// threads have 128 registers each, which more than one view, or arithmetic in double, must leave room in.
constexpr int slots_for(row_kernel kernel, int N, int bytes) noexcept {
  const int most = kernel == row_kernel::wide_block ? 64 : kernel == row_kernel::streamed ? 16 : 32;
  const int room = kernel == row_kernel::wide_block && bytes * N > 16 ? register_bytes * 3 / 4 : register_bytes;
  const int fit = room / bytes, numbers = fit < most ? fit : most;
  return numbers < N ? 1 : numbers / N;
}

/// The threads of a block, and the rows that they have at once.
constexpr int threads_of(row_kernel kernel) noexcept { return kernel == row_kernel::wide_block ? 512 : 256; }
constexpr int rows_of_block(row_kernel kernel) noexcept {
  return kernel == row_kernel::warp ? threads_of(kernel) / 32 : 1;
}

/// The longest row that a kernel holds.
constexpr index capacity_of(row_kernel kernel, int N, int bytes) noexcept {
  return index(slots_for(kernel, N, bytes)) * N * (threads_of(kernel) / rows_of_block(kernel));
}

/// Rows side by side in shared memory: an odd distance, so that threads of neighbouring rows meet no bank twice.
constexpr index tile_stride(index columns) noexcept { return columns | 1; }

constexpr index tile_bytes(index rows, index stride, int views, int size) noexcept {
  return rows * stride * views * size;
}

/// The threads of a block, a row each, whose planes of `columns` classes fit into shared memory; 0 if none do.
constexpr int tile_rows_of_images(index columns, int views, int size) noexcept {
  for (int rows = 128; rows >= 32; rows /= 2)
    if (tile_bytes(rows, columns, views, size) <= shared_bytes) return rows;
  return 0;
}
inline constexpr int tile_rows_of_matrix = 128;

constexpr row_kernel row_kernel_for(index columns, int N, int bytes, int views, int size) noexcept {
  if (tile_bytes(tile_rows_of_matrix, tile_stride(columns), views, size) <= shared_bytes) return row_kernel::tile;
  if (columns <= capacity_of(row_kernel::warp, N, bytes)) return row_kernel::warp;
  if (columns <= capacity_of(row_kernel::block, N, bytes)) return row_kernel::block;
  if (columns <= capacity_of(row_kernel::wide_block, N, bytes)) return row_kernel::wide_block;
  return row_kernel::streamed;
}

}  // namespace hone::inline HONE_ABI::on_cuda

#include <hone/core/macros_pop.hpp>
