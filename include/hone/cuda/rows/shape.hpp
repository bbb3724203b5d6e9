// SPDX-License-Identifier: MIT
/// The choice of the kernel for a size of rows: arithmetic only, tested without a device.
#pragma once

#include <hone/core/number.hpp>

#include <hone/core/macros_push.hpp>

namespace hone::inline HONE_ABI::on_cuda {

/// tile         one thread per row; a block moves the rows through shared memory
/// warp, block, wide_block  a row in the registers of 32, 256 or 512 threads
/// streamed     rows of any length, read twice
enum class row_kernel : unsigned char { tile, warp, block, wide_block, streamed };

inline constexpr int shared_bytes = 48 * 1024 - 512;  // for tiles of a block: the default limit minus room for sums
inline constexpr int register_bytes = 256;            // of a thread, for its part of a row
inline constexpr index max_columns = index(1) << 30;

/// Returns how many vectors of N elements, `bytes` each in all views, a thread holds of a row. Threads of a wide block
/// have 128 registers; if there are several views, or arithmetic in double, some must stay free.
constexpr int slots_for(row_kernel kernel, int N, int bytes) noexcept {
  const int limit = kernel == row_kernel::wide_block ? 64 : kernel == row_kernel::streamed ? 16 : 32;
  const int room = kernel == row_kernel::wide_block && bytes * N > 16 ? register_bytes * 3 / 4 : register_bytes;
  const int fit = room / bytes, numbers = fit < limit ? fit : limit;
  return numbers < N ? 1 : numbers / N;
}

/// The threads of a block, and the rows that a block processes at once.
constexpr int threads_of(row_kernel kernel) noexcept { return kernel == row_kernel::wide_block ? 512 : 256; }
constexpr int rows_of_block(row_kernel kernel) noexcept {
  return kernel == row_kernel::warp ? threads_of(kernel) / 32 : 1;
}

/// Returns the length of the longest row that a kernel can hold.
constexpr index capacity_of(row_kernel kernel, int N, int bytes) noexcept {
  return index(slots_for(kernel, N, bytes)) * N * (threads_of(kernel) / rows_of_block(kernel));
}

/// Returns the distance of rows in shared memory: odd, so that threads of neighbouring rows use different banks.
constexpr index tile_stride(index columns) noexcept { return columns | 1; }

constexpr index tile_bytes(index rows, index stride, int views, int size) noexcept {
  return rows * stride * views * size;
}

/// Returns the threads of a block, one per row, whose planes of `columns` classes fit into shared memory; 0 if none do.
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
