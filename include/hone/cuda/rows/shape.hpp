// SPDX-License-Identifier: MIT
/// The choice of the kernel for a size of rows: arithmetic only, tested without a device.
#pragma once

#include <hone/core/number.hpp>

#include <initializer_list>

#include <hone/core/macros_push.hpp>

namespace hone::inline HONE_ABI::on_cuda {

/// tile         one thread per row; a block moves the rows through shared memory
/// warp, block, wide_block  a row in the registers of 32, 256 or 512 threads
/// streamed     rows of any length, read twice
/// team_48, team_96  a row of up to as many classes, in whole vectors, in the registers of 2 or 4 threads
/// held         a row in the shared memory of 512 threads
enum class row_kernel : unsigned char { tile, warp, block, wide_block, streamed, team_48, team_96, held };

inline constexpr int shared_bytes = 48 * 1024 - 512;  // for tiles of a block: the default limit minus room for sums
inline constexpr int register_bytes = 256;            // of a thread, for its part of a row
inline constexpr index max_columns = index(1) << 30;

/// Returns how many vectors of N elements, `bytes` each in all views, a thread holds of a row. Threads of a wide block
/// have 128 registers; if there are several views, arithmetic in double, or a weight of every class, some must stay
/// free, and half of them with several views in double.
constexpr int slots_for(row_kernel kernel, int N, int bytes, bool weights = false) noexcept {
  const bool wide = kernel == row_kernel::wide_block,
             held = kernel == row_kernel::held;  // whose numbers are in registers for one trip only
  const int limit = wide ? (weights ? 48 : 64) : held && N == 8 ? 8 : held || kernel == row_kernel::streamed ? 16 : 32;
  const bool doubles_of_views = N == 2 && bytes > 16;
  const int room = !wide || bytes * N <= 16 ? register_bytes : register_bytes / 4 * (doubles_of_views ? 2 : 3);
  const int fit = room / bytes, numbers = fit < limit ? fit : limit;
  return numbers < N ? 1 : numbers / N;
}

/// The threads of a block, and the rows that a block processes at once.
constexpr int threads_of(row_kernel kernel) noexcept {
  return kernel == row_kernel::wide_block || kernel == row_kernel::held ? 512 : 256;
}
constexpr int rows_of_block(row_kernel kernel) noexcept {
  return kernel == row_kernel::warp ? threads_of(kernel) / 32 : 1;
}

/// Returns the length of the longest row that a kernel can hold.
constexpr index capacity_of(row_kernel kernel, int N, int bytes, bool weights = false) noexcept {
  return index(slots_for(kernel, N, bytes, weights)) * N * (threads_of(kernel) / rows_of_block(kernel));
}

/// The threads of a small team, and the vectors that each of them holds.
struct team_shape {
  int size, slots;
};
/// Returns the shape of team_48 and team_96. What a row costs besides its elements is spent by every thread of its
/// team, so teams are as small as registers allow: with several views, arithmetic in double, or a weight of every
/// class, 4 threads share a longer row.
constexpr team_shape team_shape_for(row_kernel kernel, int N, int bytes, bool weights = false) noexcept {
  const bool one_view = bytes <= 4 && !weights;
  const int most = kernel == row_kernel::team_96 && one_view ? 48 : 24;
  const int fit = register_bytes / bytes, numbers = fit < most ? fit : most;
  return {kernel == row_kernel::team_96 && !one_view ? 4 : 2, numbers < N ? 1 : numbers / N};
}
constexpr index capacity_of(team_shape team, int N) noexcept { return index(team.slots) * N * team.size; }

/// Returns the distance of rows in shared memory, such that at most two threads of neighbouring rows use one bank.
/// There is a gap behind each row only if its columns are a multiple of tile_group.
inline constexpr int tile_group = 4;
constexpr index tile_stride(index columns) noexcept { return columns % tile_group == 0 ? columns + 1 : columns; }

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

inline constexpr index least_columns_of_team = 16;

/// The shared memory of a device that one kernel has for its rows, in bytes per block: of a block alone on a
/// multiprocessor, and of each of two.
struct shared_room {
  index alone = 0, of_two = 0;
};
/// Returns the room of a kernel beside `own` bytes of static arrays and what the system reserves for each block.
constexpr shared_room room_of_blocks(index block, index multiprocessor, index reserved, index own) noexcept {
  const index of_two = multiprocessor / 2 / 128 * 128 - reserved - own;  // a block is given whole units of 128
  return {block - own, of_two < block - own ? of_two : block - own};
}
/// Returns the bytes of a held row: its vectors in all views, each view's at a multiple of 16.
constexpr index held_bytes(index columns, int N, int bytes, int views, int size) noexcept {
  const int real = bytes * int(sizeof(float)) / size;  // `bytes` counts numbers twice if the arithmetic is in double
  return columns / N * N * real + index(views - 1) * 16;
}

/// Returns the kernel for rows of `columns` classes; `in_vectors`: all of them are whole vectors of N, and aligned;
/// `weights`: every class has a weight in memory. A wide block fills a multiprocessor, so rows of which two fit there
/// are held in shared memory: one is read while another is computed.
constexpr row_kernel row_kernel_for(index columns, int N, int bytes, int views, int size, bool in_vectors,
                                    bool weights = false, shared_room room = {}) noexcept {
  if (in_vectors && columns >= least_columns_of_team)
    for (const row_kernel team : {row_kernel::team_48, row_kernel::team_96})
      if (columns <= capacity_of(team_shape_for(team, N, bytes, weights), N)) return team;
  if (tile_bytes(tile_rows_of_matrix, tile_stride(columns), views, size) <= shared_bytes) return row_kernel::tile;
  if (columns <= capacity_of(row_kernel::warp, N, bytes)) return row_kernel::warp;
  if (columns <= capacity_of(row_kernel::block, N, bytes)) return row_kernel::block;
  const index held = held_bytes(columns, N, bytes, views, size);
  if (held <= room.of_two) return row_kernel::held;
  if (columns <= capacity_of(row_kernel::wide_block, N, bytes, weights)) return row_kernel::wide_block;
  return held <= room.alone ? row_kernel::held : row_kernel::streamed;
}

}  // namespace hone::inline HONE_ABI::on_cuda

#include <hone/core/macros_pop.hpp>
